import { CfnParameter, Duration, IResolvable, IResolveContext, Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { PARAMETERS } from './rules.generated';

/** What the template says about one parameter. */
export interface ParameterRule {
    readonly parameter: string;
    readonly kind:
        | 'boolean'
        | 'days'
        | 'enum'
        | 'json'
        | 'list'
        | 'number'
        | 'seconds'
        | 'securityGroups'
        | 'string'
        | 'subnets'
        | 'topic'
        | 'vpc';
    readonly allowedValues?: (string | number)[];
    readonly allowedPattern?: string;
    readonly minValue?: number;
    readonly maxValue?: number;
    readonly minLength?: number;
    readonly maxLength?: number;
    /** The template's ConstraintDescription. */
    readonly constraint?: string;
}

/**
 * The values of the template's parameters for the given properties, by the parameters' names. Throws an error that names
 * the property and the value if CloudFormation would reject it.
 */
export function parameterValues(
    scope: Construct,
    props: { readonly [property: string]: any },
): { [parameter: string]: any } {
    const values: { [parameter: string]: any } = {};
    for (const [property, rule] of Object.entries(PARAMETERS)) {
        const given = props[property];
        // An empty list is the parameter's default. `Fn::Join` of CDK accepts none.
        const empty = Array.isArray(given) && given.length === 0;
        if (given !== undefined && given !== null && !empty) {
            values[rule.parameter] = valueOf(scope, property, rule, given);
        }
    }
    return values;
}

function valueOf(scope: Construct, property: string, rule: ParameterRule, given: any): any {
    const invalid = (value: unknown, why: string) =>
        new Error(
            `${scope.node.path}: the property ${property} has the invalid value ${JSON.stringify(value)}. ${why}`,
        );
    const value = written(scope, rule, given, invalid);
    if (rule.kind === 'vpc' || rule.kind === 'subnets' || rule.kind === 'securityGroups') {
        // The ids of constructs are not checked: a lookup has other ones before it has found anything.
        const outside = (id: string) => Token.asString(new OutsideConditions(scope, id));
        return Array.isArray(value) ? value.map(outside) : outside(value);
    }
    if (Token.isUnresolved(value)) {
        // CloudFormation checks the values of parameters only, so the service that gets this value checks it.
        return typeof value === 'string' ? Token.asString(new OutsideConditions(scope, value)) : value;
    }
    for (const each of rule.kind === 'list' ? value : [value]) {
        const problem = Token.isUnresolved(each) ? undefined : problemOf(rule, each);
        if (problem !== undefined) {
            throw invalid(each, rule.constraint ?? problem);
        }
    }
    return value;
}

/** The value as the template's parameter would have it. */
function written(
    scope: Construct,
    rule: ParameterRule,
    given: any,
    invalid: (value: unknown, why: string) => Error,
): any {
    switch (rule.kind) {
        case 'boolean':
            return given ? allowed(rule, 'on', 'true') : allowed(rule, 'off', 'false');
        case 'seconds':
            return whole(given, 'seconds', () => given.toSeconds(), invalid);
        case 'days':
            return whole(given, 'days', () => given.toDays(), invalid);
        case 'json':
            return jsonText(scope, given);
        case 'topic':
            if ((given as sns.ITopic).fifo) {
                throw invalid(given.node.path, 'It must be a standard topic.');
            }
            return given.topicArn;
        case 'vpc':
            return (given as ec2.IVpc).vpcId;
        case 'subnets':
            return (given as ec2.ISubnet[]).map((subnet) => subnet.subnetId);
        case 'securityGroups':
            return (given as ec2.ISecurityGroup[]).map((group) => group.securityGroupId);
        default:
            return given;
    }
}

function allowed(rule: ParameterRule, ...candidates: string[]): string | undefined {
    return candidates.find((candidate) => rule.allowedValues?.includes(candidate));
}

function whole(
    given: Duration,
    unit: string,
    convert: () => number,
    invalid: (value: unknown, why: string) => Error,
): number {
    try {
        return convert();
    } catch {
        throw invalid(given.toString(), `It must be a whole number of ${unit}.`);
    }
}

/** JSON on one line and in ASCII, as the template wants it. */
function jsonText(scope: Construct, given: any): string {
    const text = JSON.stringify(given);
    return Token.isUnresolved(text)
        ? Stack.of(scope).toJsonString(given)
        : text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function problemOf(rule: ParameterRule, value: any): string | undefined {
    if (rule.allowedValues && !rule.allowedValues.includes(value)) {
        return `It must be one of ${rule.allowedValues.join(', ')}.`;
    }
    if (typeof value === 'number') {
        const min = rule.minValue ?? -Infinity;
        const max = rule.maxValue ?? Infinity;
        return value >= min && value <= max ? undefined : `It must be ${min} to ${max}.`;
    }
    const text = String(value);
    const minLength = rule.minLength ?? 0;
    const maxLength = rule.maxLength ?? Infinity;
    if (text.length < minLength || text.length > maxLength) {
        return `It must have ${minLength} to ${maxLength} characters.`;
    }
    // A pattern must match the whole value.
    if (rule.allowedPattern && !new RegExp(`^(?:${rule.allowedPattern})$`).test(text)) {
        return `It must match ${rule.allowedPattern}.`;
    }
    return undefined;
}

/**
 * A value that is known at deployment only. CloudFormation rejects a condition that refers to a resource, and the template's
 * conditions ask such a value only whether it is empty. So where a condition would refer to a resource, a text that is not
 * empty takes the value's place.
 */
class OutsideConditions implements IResolvable {
    public readonly creationStack: string[] = [];

    constructor(
        private readonly scope: Construct,
        private readonly value: string,
    ) {}

    public resolve(context: IResolveContext): any {
        if (context.documentPath[0] !== 'Conditions') {
            return this.value;
        }
        const resolved = context.resolve(this.value);
        return this.refersToParametersOnly(JSON.stringify(resolved)) ? resolved : 'known at deployment';
    }

    public toString(): string {
        return Token.asString(this);
    }

    private refersToParametersOnly(json: string): boolean {
        const stack = Stack.of(this.scope);
        const parameters = stack.node
            .findAll()
            .filter((child) => child instanceof CfnParameter && Stack.of(child) === stack)
            .map((child) => stack.resolve((child as CfnParameter).logicalId));
        const references = [...json.matchAll(/"Ref":"([^"]+)"/g)].map((match) => match[1]);
        const known = references.every((name) => name.startsWith('AWS::') || parameters.includes(name));
        return known && !/"Fn::(GetAtt|ImportValue|Sub)":/.test(json);
    }
}
