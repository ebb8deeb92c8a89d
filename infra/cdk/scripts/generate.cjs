// Writes the generated files in lib from the parameters of the template: `npm run generate`.
// With --check it writes nothing, and fails if a file is not up to date.
const fs = require('node:fs');
const path = require('node:path');
const { readTemplate } = require('./template.cjs');

const LIB = path.join(__dirname, '..', 'lib');
const HEADER = '// Generated from infra/template.yaml by `npm run generate`. Do not edit.\n';
const WIDTH = 120;

const lowerFirst = (name) => name[0].toLowerCase() + name.slice(1);
const quote = (text) => `'${String(text).replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;

// `x86_64` becomes X86_64, and `AllAtOnce` ALL_AT_ONCE.
function enumMember(value) {
    const words = /^[A-Z][a-z]/.test(value) ? value.replace(/(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])/g, '_') : value;
    return words.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}

// The parameters that name a resource. Their properties take its construct.
const CONSTRUCTS = { AlarmTopicArn: 'topic', VpcId: 'vpc', SubnetIds: 'subnets', SecurityGroupIds: 'securityGroups' };

// The kind of a parameter decides the type of its property and how a value is checked and written.
function kindOf(name, parameter) {
    const allowed = parameter.AllowedValues?.map(String).sort().join();
    if (name in CONSTRUCTS) return CONSTRUCTS[name];
    if (parameter.Type === 'CommaDelimitedList') return 'list';
    if (parameter.Type === 'Number') {
        if (name.endsWith('Seconds')) return 'seconds';
        if (name.endsWith('Days')) return 'days';
        return 'number';
    }
    if (parameter.Type !== 'String') {
        throw new Error(
            `The parameter ${name} has the type ${parameter.Type}, which scripts/generate.cjs does not know.`,
        );
    }
    if (allowed === 'off,on' || allowed === 'false,true') return 'boolean';
    if (allowed !== undefined) return 'enum';
    return parameter.Default === '{}' ? 'json' : 'string';
}

function describe(name, parameter) {
    const kind = kindOf(name, parameter);
    const property = lowerFirst(
        {
            seconds: name.replace(/Seconds$/, ''),
            days: name.replace(/Days$/, ''),
            topic: 'AlarmTopic',
            vpc: 'Vpc',
            subnets: 'Subnets',
            securityGroups: 'SecurityGroups',
        }[kind] ?? name,
    );
    return { name, kind, property, parameter };
}

function typeOf({ name, kind }) {
    return {
        topic: 'sns.ITopic',
        vpc: 'ec2.IVpc',
        subnets: 'ec2.ISubnet[]',
        securityGroups: 'ec2.ISecurityGroup[]',
        list: 'string[]',
        seconds: 'Duration',
        days: 'Duration',
        number: 'number',
        boolean: 'boolean',
        enum: name,
        json: '{ [name: string]: any }',
        string: 'string',
    }[kind];
}

function defaultOf({ name, kind, parameter }) {
    const value = parameter.Default;
    if (value === undefined) return '- none: it must be given when the stack is deployed';
    if (kind === 'topic') return '- no topic';
    if (kind === 'vpc') return '- no VPC';
    if (kind === 'subnets') return '- no VPC';
    if (kind === 'securityGroups') return '- one that lets HTTPS leave, if there are subnets';
    if (kind === 'seconds' || kind === 'days') return `Duration.${kind}(${value})`;
    if (kind === 'boolean') return String(value === 'on' || value === 'true');
    if (kind === 'enum') return `${name}.${enumMember(value)}`;
    if (kind === 'list') return value === '' ? '[]' : JSON.stringify(value.split(','));
    if (value === '') return '- empty';
    return kind === 'string' ? `"${value}"` : String(value);
}

// The template's description says how a parameter is written as text. A property has a type, so those words go.
function proseOf({ kind, parameter }, described) {
    let text = (parameter.Description ?? '').replace(/\s+/g, ' ').trim();
    if (kind === 'seconds') text = text.replace(/, in seconds,|,? in seconds(?=[\s.;])/g, '');
    if (kind === 'subnets' || kind === 'securityGroups')
        text = text.replace(/, separated by commas/, '').replace(/ Empty means .*$/, '');
    if (kind === 'list') text = text.replace(/,? separated by commas/, '');
    if (kind === 'days') text = text.replace(/^How many days/, 'How long');
    if (kind === 'json') text = text.replace(/,? as JSON text/, '').replace(/ On the command line of sam .*$/, '');
    if (kind === 'topic')
        text = text.replace(/^The ARN of the SNS topic/, 'The SNS topic').replace(/ Empty means .*$/, '');
    if (kind === 'boolean' && parameter.AllowedValues.includes('on')) text += ' `true` means on, `false` means off.';
    for (const other of described) {
        // Only names that cannot be an English word, such as ConnectJwksUrl.
        if (/^[A-Z][a-z]+[A-Z]/.test(other.name)) {
            text = text.replace(new RegExp(`\\b${other.name}\\b`, 'g'), `\`${other.property}\``);
        }
    }
    const bounds = {
        boolean: undefined,
        enum: undefined,
        topic: undefined,
        vpc: undefined,
        subnets: undefined,
        securityGroups: undefined,
        json: parameter.MaxLength && `It may have at most ${parameter.MaxLength} characters as JSON text.`,
    };
    return [text, kind in bounds ? bounds[kind] : parameter.ConstraintDescription].filter(Boolean);
}

function comment(paragraphs, indent) {
    const prefix = `${indent} * `;
    const lines = paragraphs.flatMap((paragraph, index) => {
        const safe = paragraph.replace(/\*\//g, '*\\/').replace(/(^|\s)@(?!default)/g, '$1\\@');
        const wrapped = [''];
        for (const word of safe.split(' ')) {
            const last = wrapped[wrapped.length - 1];
            if (last && prefix.length + last.length + 1 + word.length > WIDTH) wrapped.push(word);
            else wrapped[wrapped.length - 1] = last ? `${last} ${word}` : word;
        }
        return index === 0 ? wrapped : ['', ...wrapped];
    });
    return [`${indent}/**`, ...lines.map((line) => `${prefix}${line}`.trimEnd()), `${indent} */`].join('\n');
}

function enumOf({ name, property, parameter }) {
    const members = parameter.AllowedValues.map(
        (value) => `    /** The value \`${value}\`. */\n    ${enumMember(value)} = ${quote(value)},`,
    );
    return `${comment([`A value of the property \`${property}\`.`], '')}\nexport enum ${name} {\n${members.join('\n')}\n}\n`;
}

function propertyOf(one, described) {
    const paragraphs = [...proseOf(one, described), `@default ${defaultOf(one)}`];
    return `${comment(paragraphs, '    ')}\n    readonly ${one.property}?: ${typeOf(one)};\n`;
}

function ruleOf({ name, kind, property, parameter }) {
    const fields = {
        parameter: quote(name),
        kind: quote(kind),
        allowedValues:
            parameter.AllowedValues &&
            `[${parameter.AllowedValues.map((v) => (typeof v === 'number' ? v : quote(v))).join(', ')}]`,
        allowedPattern: parameter.AllowedPattern && quote(parameter.AllowedPattern),
        minValue: parameter.MinValue,
        maxValue: parameter.MaxValue,
        minLength: parameter.MinLength,
        maxLength: parameter.MaxLength,
        constraint: parameter.ConstraintDescription && quote(parameter.ConstraintDescription),
    };
    const lines = Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([field, value]) => `        ${field}: ${value},`);
    return `    ${property}: {\n${lines.join('\n')}\n    },`;
}

function generate(template) {
    const described = Object.entries(template.Parameters).map(([name, parameter]) => describe(name, parameter));
    const types = new Set(described.map(typeOf));
    const imports = [
        types.has('Duration') && "import { Duration } from 'aws-cdk-lib';\n",
        types.has('ec2.IVpc') && "import * as ec2 from 'aws-cdk-lib/aws-ec2';\n",
        types.has('sns.ITopic') && "import * as sns from 'aws-cdk-lib/aws-sns';\n",
    ].filter(Boolean);
    const enums = described.filter(({ kind }) => kind === 'enum').map(enumOf);
    return {
        'parameters.generated.ts': `${HEADER}${imports.join('')}
${enums.join('\n')}
/**
 * The parameters of Fundhook's template. One that is not given stays a parameter of the stack, with its default.
 */
export interface FundhookParameters {
${described.map((one) => propertyOf(one, described)).join('\n')}}
`,
        'rules.generated.ts': `${HEADER}import { ParameterRule } from './parameters';

/** How the value of each property is checked and written to the template. */
export const PARAMETERS: { readonly [property: string]: ParameterRule } = {
${described.map(ruleOf).join('\n')}
};

/** The template's transforms, in the order in which CloudFormation must apply them. */
export const TRANSFORMS = [${[template.Transform].flat().map(quote).join(', ')}];
`,
    };
}

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries(generate(readTemplate()))) {
    const file = path.join(LIB, name);
    if (!check) {
        fs.writeFileSync(file, text);
    } else if (text !== fs.readFileSync(file, 'utf8')) {
        console.error(`lib/${name} is not up to date with infra/template.yaml. Run: npm run generate`);
        process.exitCode = 1;
    }
}
