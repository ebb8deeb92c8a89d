import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/**
 * Which events a subscription gets. Without any of these it gets all.
 */
export interface EventFilter {
    /**
     * The kinds of resources, for example `deposit` and `withdrawal`.
     *
     * @default - all kinds
     */
    readonly kinds?: string[];

    /**
     * The types of events, for example `fundhook.deposit.confirmed`. A resource's events then have gaps in `sequence`.
     *
     * @default - all types
     */
    readonly types?: string[];

    /**
     * Conditions on further message attributes: `provider`, `status`, `asset`, `network`, `account`, `reference_id` and
     * `tenant`. SNS allows at most five attributes in all.
     *
     * @default - no further conditions
     */
    readonly filterPolicy?: { [attribute: string]: sns.SubscriptionFilter };
}

/**
 * A subscriber's queue, and which events it gets.
 */
export interface SubscriberProps extends EventFilter {
    /**
     * How long a message that was received is hidden from others. Lambda's documentation requires six times the timeout of
     * the function that reads the queue.
     *
     * @default Duration.seconds(180)
     */
    readonly visibilityTimeout?: Duration;

    /**
     * How often a message is received before it is moved to the dead-letter queue.
     *
     * @default 5
     */
    readonly maxReceiveCount?: number;

    /**
     * The topic that is notified when an event is in the dead-letter queue.
     *
     * @default - the property `alarmTopic` of Fundhook
     */
    readonly alarmTopic?: sns.ITopic;
}

/**
 * How an existing queue is subscribed.
 */
export interface SubscribeQueueOptions extends EventFilter {
    /**
     * The queue for events that SNS could not deliver. It is FIFO if the topic is.
     *
     * @default - such events are lost
     */
    readonly deadLetterQueue?: sqs.IQueue;
}

/** A queue with a dead-letter queue that has an alarm. It is FIFO if the topic is, with the same order: by resource. */
export function subscriberQueue(scope: Construct, fifo: boolean, props: SubscriberProps): sqs.Queue {
    const common: sqs.QueueProps = {
        // SQS's own keys: the policy of a KMS key would have to allow SNS to use it.
        encryption: sqs.QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        // SQS knows no `fifo: false`.
        fifo: fifo || undefined,
    };
    const deadLetters = new sqs.Queue(scope, 'DeadLetterQueue', {
        ...common,
        // The maximum of SQS.
        retentionPeriod: Duration.days(14),
    });
    const queue = new sqs.Queue(scope, 'Queue', {
        ...common,
        deduplicationScope: fifo ? sqs.DeduplicationScope.MESSAGE_GROUP : undefined,
        fifoThroughputLimit: fifo ? sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID : undefined,
        visibilityTimeout: props.visibilityTimeout ?? Duration.seconds(180),
        retentionPeriod: Duration.days(4),
        deadLetterQueue: { queue: deadLetters, maxReceiveCount: props.maxReceiveCount ?? 5 },
    });
    const alarm = new cloudwatch.Alarm(scope, 'DeadLetterAlarm', {
        alarmDescription:
            'An event could not be handled or delivered. It waits in the dead-letter queue of a subscriber to Fundhook.',
        metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
        threshold: 0,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        // SQS stops reporting metrics of a queue that has not been used for hours.
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    if (props.alarmTopic) {
        alarm.addAlarmAction(new SnsAction(props.alarmTopic));
    }
    return queue;
}

/** Subscribes a queue to the topic. Each message is then one event, without SNS's envelope. */
export function subscribe(topic: sns.ITopic, queue: sqs.IQueue, options: SubscribeQueueOptions): sns.Subscription {
    for (const each of [queue, options.deadLetterQueue]) {
        if (each && each.fifo !== topic.fifo) {
            const must = topic.fifo
                ? 'the topic is FIFO, so the queue must be FIFO too'
                : 'the topic is not FIFO, so the queue must not be FIFO';
            throw new Error(`${each.node.path}: ${must}.`);
        }
    }
    const subscription = topic.addSubscription(
        new SqsSubscription(queue, {
            rawMessageDelivery: true,
            filterPolicy: policyOf(queue, options),
            deadLetterQueue: options.deadLetterQueue,
        }),
    );
    if (topic.stack === queue.stack) {
        // CDK takes the topic for one of another stack and writes its region, which this stack has anyway.
        (subscription.node.defaultChild as sns.CfnSubscription).region = undefined;
    }
    return subscription;
}

/** SNS accepts a filter that no event matches, and such a subscriber would never hear of a deposit. */
function policyOf(scope: Construct, filter: EventFilter): { [attribute: string]: sns.SubscriptionFilter } | undefined {
    const policy = { ...filter.filterPolicy };
    const add = (
        attribute: string,
        property: string,
        values: string[] | undefined,
        pattern: RegExp,
        example: string,
    ) => {
        if (values === undefined) {
            return;
        }
        const wrong = values.find((value) => !pattern.test(value));
        if (values.length === 0 || wrong !== undefined) {
            throw new Error(
                `${scope.node.path}: the property ${property} has the invalid value ${JSON.stringify(wrong ?? [])}. ` +
                    `It must be a list such as ["${example}"].`,
            );
        }
        if (attribute in policy) {
            throw new Error(`${scope.node.path}: both ${property} and filterPolicy have conditions on "${attribute}".`);
        }
        policy[attribute] = sns.SubscriptionFilter.stringFilter({ allowlist: values });
    };
    add('kind', 'kinds', filter.kinds, /^[a-z][a-z_]*$/, 'deposit');
    add('type', 'types', filter.types, /^fundhook\.[a-z_]+\.[a-z_]+$/, 'fundhook.deposit.confirmed');
    return Object.keys(policy).length > 0 ? policy : undefined;
}
