import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { Duration } from 'aws-cdk-lib';
import { FundhookProps, TopicType } from '../lib';
import { PARAMETERS } from '../lib/rules.generated';
import { fundhookIn, newStack, readTemplate, synthesized, withValues } from './support';

/** What CDK adds to every template: the check of the account's bootstrap version. */
function withoutCdk(template: any): any {
    const { Rules, ...others } = template;
    const { BootstrapVersion, ...Parameters } = others.Parameters;
    assert.deepEqual(Object.keys(Rules), ['CheckBootstrapVersion']);
    return { ...others, Parameters };
}

/** The code's location differs by purpose: the template names a folder that `sam build` replaces. */
function withoutCode(template: any): any {
    const Resources = Object.fromEntries(
        Object.entries<any>(template.Resources).map(([id, resource]) => {
            if (resource.Type !== 'AWS::Serverless::Function') return [id, resource];
            const { CodeUri, ...Properties } = resource.Properties;
            assert.ok(CodeUri, `${id} has code`);
            return [id, { ...resource, Properties }];
        }),
    );
    return { ...template, Resources };
}

test('without parameters, the stack is the template', () => {
    const stack = newStack();
    fundhookIn(stack);
    assert.deepEqual(withoutCode(withoutCdk(synthesized(stack))), withoutCode(readTemplate()));
});

test('a given parameter is replaced by its value wherever the template refers to it, and nothing else changes', () => {
    const stack = newStack();
    fundhookIn(stack, { topicType: TopicType.FIFO, zerohashEnabled: true, retainData: false, logLevel: 'debug' });
    const expected = withValues(readTemplate(), {
        TopicType: 'fifo',
        ZerohashEnabled: 'on',
        RetainData: 'false',
        LogLevel: 'debug',
    });
    assert.deepEqual(withoutCode(withoutCdk(synthesized(stack))), withoutCode(expected));
});

/** The properties that give every parameter its default. A topic and a network have none. */
function defaults(parameters: any): Partial<FundhookProps> {
    const convert: { [kind: string]: (value: any) => any } = {
        seconds: (value) => Duration.seconds(value),
        days: (value) => Duration.days(value),
        boolean: (value) => value === 'on' || value === 'true',
        json: (value) => JSON.parse(value),
        topic: () => undefined,
        vpc: () => undefined,
        subnets: () => undefined,
        securityGroups: () => undefined,
        list: (value) => (value === '' ? undefined : value.split(',')),
    };
    return Object.fromEntries(
        Object.entries(PARAMETERS).map(([property, { parameter, kind }]) => {
            const value = parameters[parameter].Default;
            return [property, kind in convert ? convert[kind](value) : value];
        }),
    );
}

test('with the default of every parameter given, the stack is the template with these values', () => {
    const template = readTemplate();
    const stack = newStack();
    fundhookIn(stack, defaults(template.Parameters));
    const actual = withoutCode(withoutCdk(synthesized(stack)));
    const values = Object.fromEntries(
        Object.entries<any>(template.Parameters)
            .filter(([name]) => !(name in actual.Parameters))
            .map(([name, { Default }]) => [name, Default]),
    );
    assert.ok(Object.keys(values).length > Object.keys(actual.Parameters).length);
    // CDK writes a number as a string where the property is a string, and selects a part of a literal text itself.
    const plain = (value: any) => {
        const [index, list] = value?.['Fn::Select'] ?? [];
        const [separator, whole] = list?.['Fn::Split'] ?? [];
        if (typeof whole === 'string') return whole.split(separator)[index];
        return typeof value === 'number' ? String(value) : value;
    };
    const text = (value: any) => JSON.parse(JSON.stringify(value), (_, v) => plain(v));
    assert.deepEqual(text(actual), text(withoutCode(withValues(template, values))));
});

test('the transforms have the order of the template, also after the stack gets resources of SAM itself', () => {
    const stack = newStack();
    stack.addTransform('AWS::Serverless-2016-10-31');
    fundhookIn(stack);
    stack.addTransform('AWS::Serverless-2016-10-31');
    assert.deepEqual(synthesized(stack).Transform, readTemplate().Transform);
});

test('transforms of the stack that the template does not have stay, after those of the template', () => {
    const stack = newStack();
    stack.addTransform('Other');
    fundhookIn(stack);
    assert.deepEqual(synthesized(stack).Transform, [...readTemplate().Transform, 'Other']);
});

test('the retention of data still follows the parameter', () => {
    const stack = newStack();
    fundhookIn(stack);
    assert.deepEqual(synthesized(stack).Resources.Table.DeletionPolicy, {
        'Fn::If': ['RetainsData', 'Retain', 'Delete'],
    });
});
