import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { CfnParameter, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Architecture, FundhookProps } from '../lib';
import { PARAMETERS } from '../lib/rules.generated';
import { fundhookIn, newStack, readTemplate, synthesized } from './support';

/** The value that a property gives to the environment of a function. */
function environment(props: Partial<FundhookProps>, functionId: string, variable: string): any {
    const stack = newStack();
    fundhookIn(stack, props);
    return synthesized(stack).Resources[functionId].Properties.Environment.Variables[variable];
}

test('the generated files are up to date with the template', () => {
    const script = join(__dirname, '..', 'scripts', 'generate.cjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
});

test('every parameter has a property', () => {
    const covered = Object.values(PARAMETERS).map((rule) => rule.parameter);
    assert.deepEqual(covered.sort(), Object.keys(readTemplate().Parameters).sort());
});

const accepted: [string, Partial<FundhookProps>, string, string, any][] = [
    ['a boolean is on', { zerohashEnabled: true }, 'ReceiverFunction', 'FUNDHOOK_ZEROHASH', 'on'],
    ['a boolean is off', { connectEnabled: false }, 'ReceiverFunction', 'FUNDHOOK_CONNECT', 'off'],
    [
        'a duration is in seconds',
        { connectTolerance: Duration.minutes(2) },
        'ReceiverFunction',
        'FUNDHOOK_CONNECT_TOLERANCE_SECONDS',
        '120',
    ],
    [
        'JSON is one line of ASCII',
        { connectApiOptions: { token_fields: { audience: 'Zürich' } } },
        'RefresherFunction',
        'FUNDHOOK_CONNECT_API_OPTIONS',
        '{"token_fields":{"audience":"Z\\u00fcrich"}}',
    ],
];
for (const [claim, props, functionId, variable, expected] of accepted) {
    test(claim, () => assert.equal(String(environment(props, functionId, variable)), expected));
}

test('a duration is in days', () => {
    const stack = newStack();
    fundhookIn(stack, { logRetention: Duration.days(7) });
    assert.equal(synthesized(stack).Resources.ReceiverLogGroup.Properties.RetentionInDays, 7);
});

const rejected: [string, Partial<FundhookProps>, RegExp][] = [
    [
        'a part of a second',
        { keysMaxAge: Duration.millis(30500) },
        /keysMaxAge has the invalid value .* It must be a whole number of seconds/,
    ],
    [
        'a part of a day',
        { evidenceRetention: Duration.hours(5000) },
        /evidenceRetention has the invalid value .* whole number of days/,
    ],
    [
        'a retention that CloudWatch Logs does not offer',
        { logRetention: Duration.days(8) },
        /logRetention has the invalid value 8\. Must be a retention that CloudWatch Logs offers/,
    ],
    [
        'a text that does not match',
        { connectJwksUrl: 'http://example.com' },
        /connectJwksUrl has the invalid value "http:\/\/example\.com"\. Must be an https URL/,
    ],
    [
        'a text that matches in part',
        { logLevel: 'info\n' },
        /logLevel has the invalid value "info\\n"\. Must be a RUST_LOG filter/,
    ],
    ['too long a text', { connectJwksUrl: `https://${'a'.repeat(256)}` }, /connectJwksUrl .* at most 256 characters/],
    ['too long a JSON', { tenants: { connect: 'a'.repeat(1024) } }, /tenants .* at most 1,024 characters/],
    [
        'a value that no enum has',
        { architecture: 'mips' as Architecture },
        /architecture has the invalid value "mips"\. Must be arm64 or x86_64/,
    ],
];
for (const [what, props, message] of rejected) {
    test(`rejected: ${what}`, () => assert.throws(() => fundhookIn(newStack(), props), message));
}

for (const [property, rule] of Object.entries(PARAMETERS)) {
    const written: { [kind: string]: (value: number) => any } = {
        number: (n) => n,
        seconds: Duration.seconds,
        days: Duration.days,
    };
    for (const bound of [rule.minValue && rule.minValue - 1, rule.maxValue && rule.maxValue + 1]) {
        if (bound && written[rule.kind]) {
            const message = `Test/Fundhook: the property ${property} has the invalid value ${bound}. ${rule.constraint}`;
            test(`rejected: ${property} of ${bound}`, () =>
                assert.throws(() => fundhookIn(newStack(), { [property]: written[rule.kind](bound) }), { message }));
        }
    }
    if (rule.kind === 'number') {
        test(`rejected: ${property} that is not a number`, () =>
            assert.throws(() => fundhookIn(newStack(), { [property]: NaN }), /has the invalid value null/));
    }
}

test('rejected: a FIFO topic for alarms', () => {
    const stack = newStack();
    const alarmTopic = new sns.Topic(stack, 'Alarms', { fifo: true });
    assert.throws(() => fundhookIn(stack, { alarmTopic }), /alarmTopic has the invalid value "Test\/Alarms"/);
});

/** What the alarms notify, and the condition on it. */
function alarmActions(stack: Stack): [any, any] {
    const { Conditions, Resources } = synthesized(stack);
    const actions = Resources.IngressDlqAlarm.Properties.AlarmActions['Fn::If'];
    return [actions[1][0], Conditions[actions[0]]['Fn::Not'][0]['Fn::Equals'][0]];
}

test('the alarms notify a topic of the stack, and no condition refers to it', () => {
    const stack = newStack();
    const alarmTopic = new sns.Topic(stack, 'Alarms');
    fundhookIn(stack, { alarmTopic });
    const [action, condition] = alarmActions(stack);
    assert.deepEqual(action, stack.resolve(alarmTopic.topicArn));
    assert.equal(typeof condition, 'string');
    assert.notEqual(condition, '');
});

test('the alarms notify a topic of another stack', () => {
    const stack = newStack();
    const other = new Stack(stack.node.root, 'Other');
    fundhookIn(stack, { alarmTopic: new sns.Topic(other, 'Alarms') });
    const [action, condition] = alarmActions(stack);
    assert.ok('Fn::ImportValue' in action, JSON.stringify(action));
    assert.equal(typeof condition, 'string');
});

test('the alarms notify an imported topic', () => {
    const stack = newStack();
    const arn = 'arn:aws:sns:eu-west-1:111122223333:alarms';
    fundhookIn(stack, { alarmTopic: sns.Topic.fromTopicArn(stack, 'Alarms', arn) });
    assert.deepEqual(alarmActions(stack), [arn, arn]);
});

test('a parameter of the stack that may be empty is asked itself', () => {
    const stack = newStack();
    const urls = new CfnParameter(stack, 'Urls', { default: '' });
    fundhookIn(stack, { connectWebhookUrls: urls.valueAsString });
    assert.deepEqual(synthesized(stack).Conditions.HasConnectWebhookUrls, {
        'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Urls' }, ''] }],
    });
});

test('a list is written as it is, and an empty one is none', () => {
    const lists = Object.entries(PARAMETERS).filter(([, { kind }]) => kind === 'list');
    for (const [property, { parameter }] of lists) {
        const given = newStack();
        fundhookIn(given, { [property]: ['111122223333', '444455556666'] });
        assert.match(JSON.stringify(synthesized(given)), /\["111122223333","444455556666"\]/);
        const none = newStack();
        fundhookIn(none, { [property]: [] });
        assert.ok(parameter in synthesized(none).Parameters);
    }
});

/** The network of the function that calls the providers' APIs, and the template. */
function network(stack: Stack): [any, any] {
    const template = synthesized(stack);
    return [template.Resources.ReconcilerFunction.Properties.VpcConfig['Fn::If'], template];
}

test('the functions run in the subnets of a VPC of the stack, and no condition refers to it', () => {
    const stack = newStack();
    const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 1 });
    fundhookIn(stack, { vpc, subnets: vpc.privateSubnets });
    const [[condition, config], { Conditions, Resources }] = network(stack);
    assert.equal(condition, 'HasSubnets');
    assert.deepEqual(config.SubnetIds, stack.resolve(vpc.privateSubnets.map((subnet) => subnet.subnetId)));
    assert.deepEqual(Resources.EgressSecurityGroup.Properties.VpcId, stack.resolve(vpc.vpcId));
    assert.doesNotMatch(JSON.stringify(Conditions.HasSubnets), /Ref|GetAtt/);
    assert.match(JSON.stringify(Conditions.HasSubnets), /known at deployment/);
});

test('the functions have the security groups that are given', () => {
    const stack = newStack();
    const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-west-1a', 'eu-west-1b'],
        privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    });
    const group = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0');
    fundhookIn(stack, { subnets: vpc.privateSubnets, securityGroups: [group] });
    const [[, config], { Conditions }] = network(stack);
    assert.deepEqual(config.SubnetIds, ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1']);
    assert.deepEqual(config.SecurityGroupIds['Fn::If'][1], ['sg-0123456789abcdef0']);
    assert.match(JSON.stringify(Conditions.HasSecurityGroups), /sg-0123456789abcdef0/);
});

test('rejected: subnets without a VPC or a security group', () => {
    const stack = newStack();
    const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 1 });
    assert.throws(() => fundhookIn(stack, { subnets: vpc.privateSubnets }), /the property subnets needs vpc/);
});

test('JSON may have values that are known at deployment', () => {
    const value = environment(
        { tenants: { connect: { acme: { organization_id: Fn.ref('AWS::AccountId') } } } },
        'ReceiverFunction',
        'FUNDHOOK_TENANTS',
    );
    assert.deepEqual(value, {
        'Fn::Join': ['', ['{"connect":{"acme":{"organization_id":"', { Ref: 'AWS::AccountId' }, '"}}}']],
    });
});
