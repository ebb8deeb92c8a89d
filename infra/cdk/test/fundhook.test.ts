import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Architecture, Fundhook, FundhookCode, TopicType } from '../lib';
import { fundhookIn, newStack, readTemplate, synthesized } from './support';

const { Resources, Outputs } = readTemplate();
const idsOfType = (type: string) => Object.keys(Resources).filter((id) => Resources[id].Type === type);

function newRole(stack: Stack): iam.Role {
    return new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
}

/** The statements of the role's policy, each with the names of the resources that it refers to. */
function statements(stack: Stack): any[] {
    const policy = Object.values<any>(Template.fromStack(stack).findResources('AWS::IAM::Policy'))[0];
    return policy.Properties.PolicyDocument.Statement;
}

test('a second Fundhook in one stack is rejected', () => {
    const stack = newStack();
    fundhookIn(stack);
    const nested = new NestedStack(stack, 'Nested');
    assert.doesNotThrow(() => fundhookIn(nested), 'a nested stack is another stack');
    const second = () => new Fundhook(stack, 'Second', { code: FundhookCode.notBuilt() });
    assert.throws(
        second,
        /Test\/Second: the stack Test already has a Fundhook, Test\/Fundhook\. .* Use one stack for each\./,
    );
});

test('the state may be read, through DynamoDB only', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack);
    fundhook.grantReadState(newRole(stack));
    const [table, key] = statements(stack);
    assert.deepEqual(table.Action, ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query']);
    assert.deepEqual(table.Resource, stack.resolve([fundhook.table.tableArn, `${fundhook.table.tableArn}/index/*`]));
    assert.equal(key.Action, 'kms:Decrypt');
    assert.deepEqual(key.Resource, { 'Fn::GetAtt': ['Key', 'Arn'] });
    assert.deepEqual(key.Condition, {
        StringEquals: {
            'kms:ViaService': { 'Fn::Join': ['', ['dynamodb.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
        },
    });
    assert.equal(statements(stack).length, 2);
});

test('a role of another stack may read the state', () => {
    const stack = newStack();
    const other = new Stack(stack.node.root, 'Other');
    fundhookIn(stack).grantReadState(newRole(other));
    assert.equal(statements(other).length, 2);
    assert.match(JSON.stringify(statements(other)), /Fn::ImportValue/);
});

test('the evidence may be read, through S3 only', () => {
    const stack = newStack();
    fundhookIn(stack).grantReadEvidence(newRole(stack));
    const [read, list, key] = statements(stack);
    assert.deepEqual(read.Action, ['s3:GetObject', 's3:GetObjectVersion']);
    assert.deepEqual(read.Resource, { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['EvidenceBucket', 'Arn'] }, '/evidence/*']] });
    assert.deepEqual([list.Action, list.Resource], ['s3:ListBucket', { 'Fn::GetAtt': ['EvidenceBucket', 'Arn'] }]);
    assert.match(JSON.stringify(key.Condition), /kms:ViaService.*"s3\."/);
});

test('grants change no resource of the template', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack);
    const before = Resources;
    const role = newRole(stack);
    fundhook.grantReadState(role);
    fundhook.grantReadEvidence(role);
    fundhook.topic.grantPublish(role);
    fundhook.evidence.grantRead(role);
    const after = synthesized(stack).Resources;
    for (const id of ['Key', 'EvidenceBucket', 'EvidenceBucketPolicy', 'Table', 'StandardTopic', 'TopicPolicy']) {
        assert.deepEqual(after[id], before[id]);
    }
});

test('the topic is the one that exists', () => {
    const standard = newStack();
    assert.deepEqual(standard.resolve(fundhookIn(standard).topic.topicArn), { Ref: 'StandardTopic' });
    const fifo = newStack();
    assert.deepEqual(fifo.resolve(fundhookIn(fifo, { topicType: TopicType.FIFO }).topic.topicArn), {
        Ref: 'FifoTopic',
    });
});

test('the table, the bucket and the key are those of the template', () => {
    const stack = newStack();
    const { table, evidence, key } = fundhookIn(stack);
    assert.deepEqual(stack.resolve([table.tableName, table.tableStreamArn, evidence.bucketName, key.keyArn]), [
        { Ref: 'Table' },
        { 'Fn::GetAtt': ['Table', 'StreamArn'] },
        { Ref: 'EvidenceBucket' },
        { 'Fn::GetAtt': ['Key', 'Arn'] },
    ]);
    assert.deepEqual(evidence.encryptionKey, key);
    assert.deepEqual(table.encryptionKey, key);
});

test('a table that was restored is the one in use', () => {
    const stack = newStack();
    const stream = 'arn:aws:dynamodb:eu-west-1:123456789012:table/restored/stream/2026-11-29T06:40:00.000';
    const { table } = fundhookIn(stack, { restoredTableStreamArn: stream });
    assert.deepEqual(stack.resolve([table.tableName, table.tableStreamArn]), ['restored', stream]);
});

test('every output of the template has a value', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack);
    for (const name of Object.keys(Outputs)) {
        assert.deepEqual(stack.resolve(fundhook.output(name)), Outputs[name].Value, name);
    }
    assert.deepEqual(
        stack.resolve([fundhook.connectWebhookUrl, fundhook.zerohashWebhookUrl, fundhook.strigaWebhookUrl]),
        ['Connect', 'Zerohash', 'Striga'].map((provider) => Outputs[`${provider}WebhookUrl`].Value),
    );
});

test('every alarm of the template has a construct', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack);
    assert.deepEqual(Object.keys(fundhook.alarms).sort(), idsOfType('AWS::CloudWatch::Alarm').sort());
    assert.deepEqual(stack.resolve(fundhook.alarm('IngressDlqAlarm').alarmArn), {
        'Fn::GetAtt': ['IngressDlqAlarm', 'Arn'],
    });
    assert.throws(() => fundhook.alarm('NoAlarm'), /there is no alarm NoAlarm\. There are .*IngressDlqAlarm/);
    new cloudwatch.CompositeAlarm(stack, 'Any', {
        alarmRule: cloudwatch.AlarmRule.anyOf(...Object.values(fundhook.alarms)),
    });
    assert.ok(synthesized(stack));
});

test('every function that always exists has a construct', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack, { architecture: Architecture.X86_64 });
    const ids = idsOfType('AWS::Serverless::Function').filter((id) => !Resources[id].Condition);
    assert.ok(ids.length >= 6);
    assert.deepEqual(
        Object.keys(fundhook.functions).sort(),
        ids.map((id) => Resources[id].Metadata.BuildProperties.Binary).sort(),
    );
    const fanOut = fundhook.lambdaFunction('fan-out');
    assert.deepEqual(stack.resolve(fanOut.functionArn), { 'Fn::GetAtt': ['FanOutFunction', 'Arn'] });
    assert.equal(fanOut.architecture, lambda.Architecture.X86_64);
    assert.throws(
        () => fundhook.lambdaFunction('FanOutFunction'),
        /there is no function FanOutFunction\. There are fan-out,/,
    );
});

test('a role may be allowed to decide cases', () => {
    const stack = newStack();
    fundhookIn(stack).lambdaFunction('reconciler').grantInvoke(newRole(stack));
    assert.equal(statements(stack)[0].Action, 'lambda:InvokeFunction');
});

test('a resource can be changed for which there is no property', () => {
    const stack = newStack();
    fundhookIn(stack).cfnTemplate.getResource('HttpApi').addPropertyOverride('DisableExecuteApiEndpoint', true);
    assert.equal(synthesized(stack).Resources.HttpApi.Properties.DisableExecuteApiEndpoint, true);
});
