import * as fs from 'fs';
import * as path from 'path';
import { CfnResource, Fn, Stack, Token, Validations } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CodeLocation, FundhookCode } from './code';
import { parameterValues } from './parameters';
import { Architecture, FundhookParameters, TopicType } from './parameters.generated';
import { TRANSFORMS } from './rules.generated';
import { subscribe, SubscribeQueueOptions, SubscriberProps, subscriberQueue } from './subscriber';

/**
 * The code of Fundhook's functions, and the parameters of its template.
 */
export interface FundhookProps extends FundhookParameters {
    /**
     * Where the code of the functions comes from: a release or a local build.
     */
    readonly code: FundhookCode;
}

/**
 * Fundhook: receives the webhooks of crypto account-funding providers, and publishes one stream of events.
 *
 * It includes Fundhook's SAM template. The resources and the outputs have the names of the template, so a stack can have one
 * Fundhook. Give it a stack of its own, or one with its subscribers: the template's `Globals` and transforms apply to the whole
 * stack.
 */
export class Fundhook extends Construct {
    /** The topic of the events. It is FIFO if the property `topicType` is. */
    public readonly topic: sns.ITopic;

    /** The table of the resources' states. */
    public readonly table: dynamodb.ITable;

    /** The bucket of the raw webhooks, below `evidence/`. */
    public readonly evidence: s3.IBucket;

    /** The key that encrypts everything that Fundhook stores. */
    public readonly key: kms.IKey;

    /** The functions by name, for example `fan-out`. */
    public readonly functions: { [name: string]: lambda.IFunction };

    /**
     * The alarms by their names in the template, for example `IngressDlqAlarm`. An alarm on a provider exists only while that
     * provider is on.
     */
    public readonly alarms: { [logicalId: string]: cloudwatch.IAlarm };

    /** The included template, to change a resource for which this construct has no property. */
    public readonly cfnTemplate: CfnInclude;

    private readonly alarmTopic?: sns.ITopic;

    constructor(scope: Construct, id: string, props: FundhookProps) {
        super(scope, id);
        this.refuseSecondInStack();
        this.refuseSubnetsWithoutSecurityGroup(props);
        this.alarmTopic = props.alarmTopic;
        this.cfnTemplate = this.includeTemplate(props);
        this.acknowledgeFalseFindings();

        this.key = kms.Key.fromKeyArn(this, 'Key', this.resource<kms.CfnKey>('Key').attrArn);
        this.table = this.importTable(props.restoredTableStreamArn);
        const bucket = this.resource<s3.CfnBucket>('EvidenceBucket');
        this.evidence = s3.Bucket.fromBucketAttributes(this, 'Evidence', {
            bucketArn: bucket.attrArn,
            bucketName: bucket.ref,
            encryptionKey: this.key,
        });
        // The topic is named directly, so that other stacks can refer to it. The template's output has an `Fn::If` on a condition
        // that only this stack has.
        const fifo = props.topicType === TopicType.FIFO;
        const topic = this.resource<sns.CfnTopic>(fifo ? 'FifoTopic' : 'StandardTopic');
        this.topic = new FundhookTopic(this, 'Topic', topic, fifo, this.key);
        this.alarms = this.importAlarms();
        this.functions = this.importFunctions(props);
    }

    /** The URL to register with zerohash Connect. */
    public get connectWebhookUrl(): string {
        return this.output('ConnectWebhookUrl');
    }

    /** The URL to register with zerohash, if the property `zerohashEnabled` is true. */
    public get zerohashWebhookUrl(): string {
        return this.output('ZerohashWebhookUrl');
    }

    /** The URL to register with Striga, if the property `strigaEnabled` is true. */
    public get strigaWebhookUrl(): string {
        return this.output('StrigaWebhookUrl');
    }

    /**
     * The value of an output of the template, for use in this stack.
     *
     * @param name The output's name, for example `IngressQueueUrl`.
     */
    public output(name: string): string {
        return Token.asString(this.cfnTemplate.getOutput(name).value);
    }

    /**
     * An alarm of the template.
     *
     * @param logicalId The alarm's name in the template, for example `IngressDlqAlarm`.
     */
    public alarm(logicalId: string): cloudwatch.IAlarm {
        return this.named('alarm', logicalId, this.alarms);
    }

    /**
     * One of Fundhook's functions.
     *
     * @param name The function's name, for example `fan-out`.
     */
    public lambdaFunction(name: string): lambda.IFunction {
        return this.named('function', name, this.functions);
    }

    /**
     * Allows to read the state of resources in the table and to find them in its indexes.
     */
    public grantReadState(grantee: iam.IGrantable): iam.Grant {
        return this.table
            .grant(grantee, 'dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query')
            .combine(this.grantDecrypt(grantee, 'dynamodb'));
    }

    /**
     * Allows to list and read the raw webhooks. They have personal data.
     */
    public grantReadEvidence(grantee: iam.IGrantable): iam.Grant {
        const read = iam.Grant.addToPrincipal({
            grantee,
            actions: ['s3:GetObject', 's3:GetObjectVersion'],
            resourceArns: [this.evidence.arnForObjects('evidence/*')],
        });
        const list = iam.Grant.addToPrincipal({
            grantee,
            actions: ['s3:ListBucket'],
            resourceArns: [this.evidence.bucketArn],
        });
        return read.combine(list).combine(this.grantDecrypt(grantee, 's3'));
    }

    /**
     * Makes an encrypted queue that gets the events, with a dead-letter queue and an alarm on it. Each message is one event.
     *
     * @returns the queue; its property `deadLetterQueue` has the other one
     */
    public addSubscriber(id: string, props: SubscriberProps = {}): sqs.Queue {
        const scope = new Construct(this, id);
        const queue = subscriberQueue(scope, this.topic.fifo, { alarmTopic: this.alarmTopic, ...props });
        subscribe(this.topic, queue, { ...props, deadLetterQueue: queue.deadLetterQueue?.queue });
        return queue;
    }

    /**
     * Sends the events to an existing queue. Each message is one event.
     *
     * If the queue is encrypted with a KMS key, SNS gets the permission to use that key. An imported queue needs a policy that
     * lets the topic send to it.
     */
    public subscribeQueue(queue: sqs.IQueue, options: SubscribeQueueOptions = {}): sns.Subscription {
        return subscribe(this.topic, queue, options);
    }

    private refuseSecondInStack(): void {
        const stack = Stack.of(this);
        const other = stack.node
            .findAll()
            .find((child) => child instanceof Fundhook && child !== this && Stack.of(child) === stack);
        if (other) {
            throw new Error(
                `${this.node.path}: the stack ${stack.node.path} already has a Fundhook, ${other.node.path}. ` +
                    'Their resources would have the same names. Use one stack for each.',
            );
        }
    }

    private refuseSubnetsWithoutSecurityGroup(props: FundhookProps): void {
        if (props.subnets?.length && !props.vpc && !props.securityGroups?.length) {
            throw new Error(
                `${this.node.path}: the property subnets needs vpc, where Fundhook makes a security group, or securityGroups.`,
            );
        }
    }

    private includeTemplate(props: FundhookProps): CfnInclude {
        // The first transform sees the template as it is written, the next one its result. SAM's resource types would put SAM
        // first, and CloudFormation would reject the template.
        const options = Stack.of(this).templateOptions;
        options.transforms = [...new Set([...TRANSFORMS, ...(options.transforms ?? [])])];
        return new CfnInclude(this, 'Template', {
            templateFile: templateFile(),
            parameters: parameterValues(this, props),
        });
    }

    /**
     * CDK checks the synthesized template against rules. Three of them report what is right here, partly about outputs and
     * conditions, which belong to the stack.
     */
    private acknowledgeFalseFindings(): void {
        const rule = (number: string) => `CloudFormation-Validate::${number}`;
        Validations.of(this).acknowledge({
            id: rule('W1030'),
            reason: 'AlarmTopicArn is empty by default, and the condition HasAlarmTopic then leaves the actions out.',
        });
        Validations.of(Stack.of(this)).acknowledge(
            { id: rule('W1001'), reason: 'One of the two topics always exists, and only that one is referred to.' },
            { id: rule('W8003'), reason: 'A parameter that was given makes the conditions on it constant.' },
        );
    }

    /** The table in use: the stack's own, or the one that was restored, whose name is in the ARN of its stream. */
    private importTable(restoredStreamArn = ''): dynamodb.ITable {
        const table = this.resource<dynamodb.CfnTable>('Table');
        const indexes = table.globalSecondaryIndexes as dynamodb.CfnTable.GlobalSecondaryIndexProperty[];
        const isRestored = restoredStreamArn !== '';
        return dynamodb.Table.fromTableAttributes(this, 'Table', {
            tableName: isRestored ? Fn.select(1, Fn.split('/', restoredStreamArn)) : table.ref,
            tableStreamArn: isRestored ? restoredStreamArn : table.attrStreamArn,
            encryptionKey: this.key,
            globalIndexes: indexes.map((index) => index.indexName),
        });
    }

    private importAlarms(): { [logicalId: string]: cloudwatch.IAlarm } {
        const scope = new Construct(this, 'Alarms');
        return Object.fromEntries(
            this.resourcesOfType('AWS::CloudWatch::Alarm').map((alarm) => [
                alarm.node.id,
                cloudwatch.Alarm.fromAlarmArn(scope, alarm.node.id, alarm.getAtt('Arn').toString()),
            ]),
        );
    }

    private importFunctions(props: FundhookProps): { [name: string]: lambda.IFunction } {
        const scope = new Construct(this, 'Functions');
        const architecture = props.architecture ?? Architecture.ARM64;
        const located: { [name: string]: CodeLocation } = {};
        return Object.fromEntries(
            this.resourcesOfType('AWS::Serverless::Function').flatMap((resource) => {
                // The name of the binary that `sam build` builds too. Two functions can have the same one.
                const name: string = resource.cfnOptions.metadata?.BuildProperties?.Binary;
                const code = (located[name] ??= props.code._locate(scope, { name, architecture }));
                resource.addPropertyOverride('CodeUri', { Bucket: code.bucket, Key: code.key });
                // A function that exists under a condition only, such as the publisher to an event bus, is not offered.
                if (resource.cfnOptions.condition) {
                    return [];
                }
                const imported = lambda.Function.fromFunctionAttributes(scope, resource.node.id, {
                    functionArn: resource.getAtt('Arn').toString(),
                    sameEnvironment: true,
                    architecture:
                        architecture === Architecture.X86_64 ? lambda.Architecture.X86_64 : lambda.Architecture.ARM_64,
                });
                return [[name, imported]];
            }),
        );
    }

    /** The key decrypts only what the grantee may read from that service. */
    private grantDecrypt(grantee: iam.IGrantable, service: string): iam.Grant {
        return iam.Grant.addToPrincipal({
            grantee,
            actions: ['kms:Decrypt'],
            resourceArns: [this.key.keyArn],
            conditions: { StringEquals: { 'kms:ViaService': `${service}.${Stack.of(this).region}.amazonaws.com` } },
        });
    }

    private resource<T extends CfnResource>(logicalId: string): T {
        return this.cfnTemplate.getResource(logicalId) as T;
    }

    private resourcesOfType(type: string): CfnResource[] {
        return this.cfnTemplate.node.children.filter(
            (child): child is CfnResource => CfnResource.isCfnResource(child) && child.cfnResourceType === type,
        );
    }

    private named<T>(what: string, name: string, all: { [name: string]: T }): T {
        if (!(name in all)) {
            throw new Error(
                `${this.node.path}: there is no ${what} ${name}. There are ${Object.keys(all).sort().join(', ')}.`,
            );
        }
        return all[name];
    }
}

/** The topic of the included template. `Topic.fromTopicAttributes` would not see that a topic is FIFO before it has a name. */
class FundhookTopic extends sns.TopicBase {
    public readonly topicArn: string;
    public readonly topicName: string;
    public readonly contentBasedDeduplication = false;
    // The template has the topic's policy.
    protected readonly autoCreatePolicy = false;

    constructor(
        scope: Construct,
        id: string,
        topic: sns.CfnTopic,
        public readonly fifo: boolean,
        public readonly masterKey: kms.IKey,
    ) {
        super(scope, id);
        this.topicArn = topic.ref;
        this.topicName = topic.attrTopicName;
    }
}

/** The template beside the package, or in a checkout the one that the package would get. */
function templateFile(): string {
    const packed = path.join(__dirname, '..', 'template.yaml');
    return fs.existsSync(packed) ? packed : path.join(__dirname, '..', '..', 'template.yaml');
}
