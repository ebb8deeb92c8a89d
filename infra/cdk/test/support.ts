import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Fundhook, FundhookCode, FundhookProps } from '../lib';

export const { readTemplate } = require('../scripts/template.cjs') as { readTemplate(): any };

// CDK checks each synthesized template against its rules, which takes time. The test of the example has the rules on.
process.env.CDK_VALIDATION = 'false';

export function newStack(name = 'Test'): Stack {
    return new Stack(new App(), name);
}

export function fundhookIn(stack: Stack, props: Partial<FundhookProps> = {}): Fundhook {
    return new Fundhook(stack, 'Fundhook', { code: FundhookCode.notBuilt(), ...props });
}

/** The synthesized template, with `Fn::GetAtt` in the one form that `readTemplate` has. CDK keeps both. */
export function synthesized(stack: Stack): any {
    return JSON.parse(JSON.stringify(Template.fromStack(stack).toJSON()), (key, value) => {
        if (key === 'Fn::GetAtt' && typeof value === 'string') {
            const dot = value.indexOf('.');
            return [value.slice(0, dot), value.slice(dot + 1)];
        }
        return value;
    });
}

/** A copy of the template in which the given parameters have values, as CDK includes it. */
export function withValues(template: any, values: { [parameter: string]: any }): any {
    const { Parameters, ...others } = template;
    const kept = Object.fromEntries(Object.entries(Parameters).filter(([name]) => !(name in values)));
    const replace = (key: string, value: any): any => {
        if (key === 'Fn::Sub' && typeof value === 'string') {
            return value.replace(/\$\{(\w+)\}/g, (reference, name) => (name in values ? values[name] : reference));
        }
        const isReference = value !== null && typeof value === 'object' && Object.keys(value).join() === 'Ref';
        return isReference && value.Ref in values ? values[value.Ref] : value;
    };
    return { Parameters: kept, ...JSON.parse(JSON.stringify(others), replace) };
}
