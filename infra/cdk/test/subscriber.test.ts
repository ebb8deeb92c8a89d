import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { EventFilter, TopicType } from '../lib';
import { fundhookIn, newStack } from './support';

test('a subscriber has an encrypted queue that gets bare events, and a dead-letter queue', () => {
    const stack = newStack();
    const queue = fundhookIn(stack).addSubscriber('Ledger');
    const template = Template.fromStack(stack);
    const deadLetters = stack.resolve(queue.deadLetterQueue!.queue.queueArn);
    template.hasResourceProperties('AWS::SQS::Queue', {
        SqsManagedSseEnabled: true,
        FifoQueue: Match.absent(),
        VisibilityTimeout: 180,
        RedrivePolicy: { deadLetterTargetArn: deadLetters, maxReceiveCount: 5 },
    });
    template.hasResourceProperties('AWS::SNS::Subscription', {
        TopicArn: { Ref: 'StandardTopic' },
        Protocol: 'sqs',
        Endpoint: stack.resolve(queue.queueArn),
        RawMessageDelivery: true,
        FilterPolicy: Match.absent(),
        RedrivePolicy: { deadLetterTargetArn: deadLetters },
        Region: Match.absent(),
    });
});

test('only the topic may send to the queue and to its dead-letter queue, and only with TLS', () => {
    const stack = newStack();
    const queue = fundhookIn(stack).addSubscriber('Ledger');
    for (const each of [queue, queue.deadLetterQueue!.queue]) {
        Template.fromStack(stack).hasResourceProperties('AWS::SQS::QueuePolicy', {
            Queues: [stack.resolve(each.queueUrl)],
            PolicyDocument: {
                Statement: [
                    Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
                    {
                        Effect: 'Allow',
                        Principal: { Service: 'sns.amazonaws.com' },
                        Action: 'sqs:SendMessage',
                        Resource: stack.resolve(each.queueArn),
                        Condition: { ArnEquals: { 'aws:SourceArn': { Ref: 'StandardTopic' } } },
                    },
                ],
            },
        });
    }
});

test('the first events wait until the queue accepts them', () => {
    const stack = newStack();
    fundhookIn(stack).addSubscriber('Ledger');
    Template.fromStack(stack).hasResource('AWS::SNS::Subscription', {
        DependsOn: [Match.stringLikeRegexp('LedgerQueuePolicy')],
    });
});

test('an alarm watches the dead-letter queue, and notifies the topic of the other alarms', () => {
    const stack = newStack();
    const alarmTopic = new sns.Topic(stack, 'Alarms');
    const queue = fundhookIn(stack, { alarmTopic }).addSubscriber('Ledger');
    Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
        Dimensions: [{ Name: 'QueueName', Value: stack.resolve(queue.deadLetterQueue!.queue.queueName) }],
        AlarmActions: [stack.resolve(alarmTopic.topicArn)],
        TreatMissingData: 'notBreaching',
    });
});

test('the queues of a FIFO topic are FIFO', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack, { topicType: TopicType.FIFO });
    fundhook.addSubscriber('Ledger');
    assert.equal(fundhook.topic.fifo, true);
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::SNS::Subscription', { TopicArn: { Ref: 'FifoTopic' } });
    template.resourcePropertiesCountIs('AWS::SQS::Queue', { FifoQueue: true }, 2);
    template.hasResourceProperties('AWS::SQS::Queue', {
        FifoQueue: true,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
    });
});

test('a subscriber may get some kinds and types of events', () => {
    const stack = newStack();
    fundhookIn(stack).addSubscriber('Ledger', {
        kinds: ['deposit'],
        types: ['fundhook.deposit.confirmed', 'fundhook.deposit.conflicting'],
        filterPolicy: { provider: sns.SubscriptionFilter.stringFilter({ allowlist: ['connect'] }) },
    });
    Template.fromStack(stack).hasResourceProperties('AWS::SNS::Subscription', {
        FilterPolicy: {
            kind: ['deposit'],
            type: ['fundhook.deposit.confirmed', 'fundhook.deposit.conflicting'],
            provider: ['connect'],
        },
    });
});

const rejected: [string, EventFilter, RegExp][] = [
    ['no kind', { kinds: [] }, /kinds has the invalid value \[\]\. It must be a list such as \["deposit"\]/],
    ['a type as a kind', { kinds: ['fundhook.deposit.held'] }, /kinds has the invalid value "fundhook\.deposit\.held"/],
    ['a kind as a type', { types: ['deposit'] }, /types has the invalid value "deposit"/],
    [
        'two conditions on one attribute',
        { kinds: ['deposit'], filterPolicy: { kind: sns.SubscriptionFilter.existsFilter() } },
        /both kinds and filterPolicy have conditions on "kind"/,
    ],
];
for (const [what, filter, message] of rejected) {
    test(`rejected filter: ${what}`, () =>
        assert.throws(() => fundhookIn(newStack()).addSubscriber('Ledger', filter), message));
}

test('an existing queue may subscribe, and SNS may use its key', () => {
    const stack = newStack();
    const queue = new sqs.Queue(stack, 'Queue', { encryptionMasterKey: new kms.Key(stack, 'QueueKey') });
    fundhookIn(stack).subscribeQueue(queue, { kinds: ['withdrawal'] });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::SNS::Subscription', {
        Endpoint: stack.resolve(queue.queueArn),
        RawMessageDelivery: true,
        FilterPolicy: { kind: ['withdrawal'] },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
        KeyPolicy: {
            Statement: Match.arrayWith([
                Match.objectLike({
                    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
                    Principal: { Service: 'sns.amazonaws.com' },
                }),
            ]),
        },
    });
});

test('a queue of another stack may subscribe', () => {
    const stack = newStack();
    const fundhook = fundhookIn(stack);
    const other = new Stack(stack.node.root, 'Other');
    fundhook.subscribeQueue(new sqs.Queue(other, 'Queue'));
    const imported = { 'Fn::ImportValue': Match.stringLikeRegexp('StandardTopic') };
    Template.fromStack(other).hasResourceProperties('AWS::SNS::Subscription', {
        TopicArn: imported,
        RawMessageDelivery: true,
    });
});

test('rejected: a queue that is not FIFO, for a FIFO topic, and the other way round', () => {
    const fifoStack = newStack();
    const fifo = fundhookIn(fifoStack, { topicType: TopicType.FIFO });
    assert.throws(
        () => fifo.subscribeQueue(new sqs.Queue(fifoStack, 'Queue')),
        /Test\/Queue: the topic is FIFO, so the queue must be FIFO too/,
    );
    const stack = newStack();
    const standard = fundhookIn(stack);
    assert.throws(
        () => standard.subscribeQueue(new sqs.Queue(stack, 'Queue', { fifo: true })),
        /the queue must not be FIFO/,
    );
});
