// Generated from infra/template.yaml by `npm run generate`. Do not edit.
import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sns from 'aws-cdk-lib/aws-sns';

/**
 * A value of the property `connectJwt`.
 */
export enum ConnectJwt {
    /** The value `off`. */
    OFF = 'off',
    /** The value `optional`. */
    OPTIONAL = 'optional',
    /** The value `required`. */
    REQUIRED = 'required',
}

/**
 * A value of the property `connectTransactionsAre`.
 */
export enum ConnectTransactionsAre {
    /** The value `connect`. */
    CONNECT = 'connect',
    /** The value `zerohash`. */
    ZEROHASH = 'zerohash',
}

/**
 * A value of the property `zerohashRsaPadding`.
 */
export enum ZerohashRsaPadding {
    /** The value `pkcs1`. */
    PKCS1 = 'pkcs1',
    /** The value `pss`. */
    PSS = 'pss',
}

/**
 * A value of the property `depositFeesBorneBy`.
 */
export enum DepositFeesBorneBy {
    /** The value `unknown`. */
    UNKNOWN = 'unknown',
    /** The value `customer`. */
    CUSTOMER = 'customer',
    /** The value `platform`. */
    PLATFORM = 'platform',
}

/**
 * A value of the property `topicType`.
 */
export enum TopicType {
    /** The value `standard`. */
    STANDARD = 'standard',
    /** The value `fifo`. */
    FIFO = 'fifo',
}

/**
 * A value of the property `tableWrites`.
 */
export enum TableWrites {
    /** The value `statements`. */
    STATEMENTS = 'statements',
    /** The value `puts`. */
    PUTS = 'puts',
}

/**
 * A value of the property `architecture`.
 */
export enum Architecture {
    /** The value `arm64`. */
    ARM64 = 'arm64',
    /** The value `x86_64`. */
    X86_64 = 'x86_64',
}

/**
 * A value of the property `deploymentTraffic`.
 */
export enum DeploymentTraffic {
    /** The value `Canary10Percent5Minutes`. */
    CANARY_10_PERCENT_5_MINUTES = 'Canary10Percent5Minutes',
    /** The value `Canary10Percent10Minutes`. */
    CANARY_10_PERCENT_10_MINUTES = 'Canary10Percent10Minutes',
    /** The value `Canary10Percent15Minutes`. */
    CANARY_10_PERCENT_15_MINUTES = 'Canary10Percent15Minutes',
    /** The value `Canary10Percent30Minutes`. */
    CANARY_10_PERCENT_30_MINUTES = 'Canary10Percent30Minutes',
    /** The value `Linear10PercentEvery1Minute`. */
    LINEAR_10_PERCENT_EVERY_1_MINUTE = 'Linear10PercentEvery1Minute',
    /** The value `Linear10PercentEvery2Minutes`. */
    LINEAR_10_PERCENT_EVERY_2_MINUTES = 'Linear10PercentEvery2Minutes',
    /** The value `Linear10PercentEvery3Minutes`. */
    LINEAR_10_PERCENT_EVERY_3_MINUTES = 'Linear10PercentEvery3Minutes',
    /** The value `Linear10PercentEvery10Minutes`. */
    LINEAR_10_PERCENT_EVERY_10_MINUTES = 'Linear10PercentEvery10Minutes',
    /** The value `AllAtOnce`. */
    ALL_AT_ONCE = 'AllAtOnce',
}

/**
 * The parameters of Fundhook's template. One that is not given stays a parameter of the stack, with its default.
 */
export interface FundhookParameters {
    /**
     * Whether webhooks of zerohash Connect are accepted. `true` means on, `false` means off.
     *
     * @default true
     */
    readonly connectEnabled?: boolean;

    /**
     * The webhook URLs exactly as registered with Connect, separated by commas; the signature covers them. Empty means
     * this stack's own API URL.
     *
     * Must be empty, or https URLs separated by commas, without spaces and at most 1,024 characters.
     *
     * @default - empty
     */
    readonly connectWebhookUrls?: string;

    /**
     * Where Connect publishes its key set (JWKS). http is accepted for 127.0.0.1 only, for a local stack.
     *
     * Must be an https URL, or http://127.0.0.1:<port> with any path, of at most 256 characters.
     *
     * @default "https://api.connect.xyz/v1/jwks"
     */
    readonly connectJwksUrl?: string;

    /**
     * Whether a webhook may or must have a JWT beside its signature. off ignores it, optional verifies it if present,
     * required rejects a webhook without one.
     *
     * @default ConnectJwt.OPTIONAL
     */
    readonly connectJwt?: ConnectJwt;

    /**
     * The header that carries the JWT, in lower case, with or without the word Bearer in its value. Credentials of
     * another scheme, such as Basic, are not a JWT and are ignored.
     *
     * Must be 1 to 64 lower-case letters, digits or hyphens.
     *
     * @default "authorization"
     */
    readonly connectJwtHeader?: string;

    /**
     * Your organization's id at Connect. A JWT of another organization is rejected. Empty accepts any.
     *
     * Must be empty or a UUID.
     *
     * @default - empty
     */
    readonly connectOrganizationId?: string;

    /**
     * The maximum difference between the signed timestamp and the current time.
     *
     * Must be 10 to 3600 seconds.
     *
     * @default Duration.seconds(300)
     */
    readonly connectTolerance?: Duration;

    /**
     * Whether Connect's API is used. on creates a secret (output ConnectApiSecretArn) for you to fill and one for
     * access tokens, and the reconciler then compares Connect's list of transactions with what its webhooks reported.
     * It has no effect without `connectEnabled`. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly connectApiEnabled?: boolean;

    /**
     * The base URL of Connect's API, without a path; the path is `connectApiPathPrefix`. http is accepted for 127.0.0.1
     * only, for a local stack.
     *
     * Must be an https URL, or http://127.0.0.1:<port>, without a path and of at most 80 characters.
     *
     * @default "https://api.connect.xyz"
     */
    readonly connectApiUrl?: string;

    /**
     * The prefix of every path of Connect's API, such as /api/v1. Empty means none. Connect's guide and its reference
     * differ.
     *
     * Must be empty or a path such as /api/v1, without a slash at its end and of at most 32 characters.
     *
     * @default - empty
     */
    readonly connectApiPathPrefix?: string;

    /**
     * Further differences of Connect's API. Any of client_id_header (client-id, or x-connect-client-id as in its
     * reference), transactions_path (/transactions), deposited_from and deposited_before (the names of the parameters
     * that filter transactions by time; null if there are none), token_path (/oauth/token) and token_fields (further
     * fields of a token request, such as {"audience":"...","grant_type":"client_credentials"}).
     *
     * It may have at most 256 characters as JSON text.
     *
     * @default {}
     */
    readonly connectApiOptions?: { [name: string]: any };

    /**
     * Which deposits Connect's list of transactions contains; the provider does not document it. connect if a row's
     * fund_id is the deposit's id in Connect's own webhooks, zerohash if it is the id in zerohash's fund webhooks. A
     * deposit without a webhook is recorded under that provider.
     *
     * @default ConnectTransactionsAre.CONNECT
     */
    readonly connectTransactionsAre?: ConnectTransactionsAre;

    /**
     * Whether webhooks of zerohash are accepted. on creates a secret (output ZerohashSecretArn) for you to fill; until
     * then no signature of zerohash verifies. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly zerohashEnabled?: boolean;

    /**
     * The maximum difference between the signed timestamp and the current time.
     *
     * Must be 10 to 3600 seconds.
     *
     * @default Duration.seconds(300)
     */
    readonly zerohashTolerance?: Duration;

    /**
     * The padding of zerohash's RSA signatures, pss (RSASSA-PSS, with a salt of any length) or pkcs1
     * (RSASSA-PKCS1-v1_5). A signature with the other one is rejected; cargo fundhook verify says so. It matters only
     * where a tenant's entry in the secret has rsa_public_keys.
     *
     * @default ZerohashRsaPadding.PSS
     */
    readonly zerohashRsaPadding?: ZerohashRsaPadding;

    /**
     * What codes of zerohash's status_reason_code mean, in addition to the documented ones: a list such as
     * SOME_CODE=not_converted,OTHER_CODE=processed. A meaning is processed, expired, or the reason of a hold. A deposit
     * with a code that is not known is held.
     *
     * Must be empty, or a list such as SOME_CODE=not_converted,OTHER_CODE=processed of at most 192 characters.
     *
     * @default - empty
     */
    readonly zerohashReasonCodes?: string;

    /**
     * Who bears the fees of a deposit where the provider's numbers leave it open, customer or platform. It decides what
     * is credited. With unknown, such a deposit is held until this is set.
     *
     * @default DepositFeesBorneBy.UNKNOWN
     */
    readonly depositFeesBorneBy?: DepositFeesBorneBy;

    /**
     * The webhook families whose deposits are credited, of connect, fund and deposit_status, such as fund or
     * fund,deposit_status. Deposits of the others are held and only corroborate. Empty means that all credit: then two
     * families that credit one coin differently (in kind and converted) conflict, and a person must decide. A tenant
     * may have a list of its own, such as fund;acme=connect.
     *
     * Must be empty, or a list such as fund,deposit_status or fund;acme=connect of at most 256 characters.
     *
     * @default - empty
     */
    readonly creditingFamilies?: string;

    /**
     * Whether a signature over the body alone is accepted too. It carries no timestamp, so a person who sees such a
     * webhook once can replay it for ever. Choose on only for an integration that cannot be switched to signatures with
     * a timestamp. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly zerohashLegacySignatures?: boolean;

    /**
     * Whether zerohash's API is used. on creates a secret (output ZerohashApiSecretArn) for you to fill, and the
     * reconciler then compares zerohash's lists of deposits, payments, users and accounts with what its webhooks
     * reported. It has no effect without `zerohashEnabled`. zerohash takes calls from listed static addresses only, so
     * set `subnets`. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly zerohashApiEnabled?: boolean;

    /**
     * The base URL of zerohash's API, without a path. https://api.cert.zerohash.com is the test environment, and
     * https://api.zerohash.eu is Europe. http is accepted for 127.0.0.1 only, for a local stack.
     *
     * Must be an https URL, or http://127.0.0.1:<port>, without a path and of at most 64 characters.
     *
     * @default "https://api.zerohash.com"
     */
    readonly zerohashApiUrl?: string;

    /**
     * What the documents of zerohash's API leave open, where it differs from the defaults. Any of path_prefix (empty),
     * lists (those to read, of ["fund_transactions","deposits","payments","bank_payments","participants",
     * "external_accounts","accounts"]), secret_encoding (base64 or text), get_body_signed (braces or nothing),
     * post_body_signed (braces or nothing), brackets_signed (encoded or raw), deposit_timestamp_unit (ms or s),
     * crypto_deposit_time (rfc3339, ms or s), crypto_deposit_lists (repeated or commas), payments_page_size (50),
     * crypto_deposits_page_size (100) and payment_histories (true or false).
     *
     * It may have at most 240 characters as JSON text.
     *
     * @default {}
     */
    readonly zerohashApiOptions?: { [name: string]: any };

    /**
     * The VPC of `subnets`, for the security group that the stack makes there. Roles may manage network interfaces
     * while it is named. To leave a VPC, empty `subnets` first and `vpc` in a later update.
     *
     * @default - no VPC
     */
    readonly vpc?: ec2.IVpc;

    /**
     * The private subnets in which the refresher and the reconciler run: at least two, in different availability zones,
     * whose traffic leaves by a static address, such as that of a NAT gateway. zerohash's API takes calls from listed
     * static addresses only; infra/egress/network.yaml makes such a network.
     *
     * @default - no VPC
     */
    readonly subnets?: ec2.ISubnet[];

    /**
     * The security groups of the refresher and the reconciler in `subnets`. They must allow HTTPS to leave.
     *
     * @default - one that lets HTTPS leave, if there are subnets
     */
    readonly securityGroups?: ec2.ISecurityGroup[];

    /**
     * Whether webhooks of Striga are accepted. on creates a secret (output StrigaSecretArn) for you to fill; until then
     * no signature of Striga verifies. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly strigaEnabled?: boolean;

    /**
     * Further organizations of a provider beside the default one; each has its webhooks at
     * /webhooks/{provider}/{tenant}. For example
     * {"connect":{"acme":{"jwks_url":"https://...","webhook_urls":["https://..."],"organization_id":"..."}},
     * "zerohash":["acme"],"striga":["acme"]}.
     *
     * It may have at most 1024 characters as JSON text.
     *
     * @default {}
     */
    readonly tenants?: { [name: string]: any };

    /**
     * The age at which a receiver reads its cached key set again, in the background.
     *
     * Must be 30 to 3600 seconds.
     *
     * @default Duration.seconds(300)
     */
    readonly keysMaxAge?: Duration;

    /**
     * The least time between two fetches of a key set that an unverifiable signature causes, for all receivers
     * together.
     *
     * Must be 10 to 3600 seconds.
     *
     * @default Duration.seconds(60)
     */
    readonly keysCooldown?: Duration;

    /**
     * How old a transaction in the provider's list must be before the reconciler takes it in; younger ones are left to
     * their webhooks.
     *
     * Must be 0 to 86400 seconds.
     *
     * @default Duration.seconds(900)
     */
    readonly reconcileGrace?: Duration;

    /**
     * How far each reading of the provider's list goes back behind where the last one ended for what the list gains
     * belatedly. What is read twice is recorded once.
     *
     * Must be 0 to 604800 seconds.
     *
     * @default Duration.seconds(3600)
     */
    readonly reconcileOverlap?: Duration;

    /**
     * How far back the first run reads the provider's list.
     *
     * Must be 3600 to 31536000 seconds.
     *
     * @default Duration.seconds(259200)
     */
    readonly reconcileLookback?: Duration;

    /**
     * How long a deposit may be without a final status before it is reported as overdue.
     *
     * Must be 1 to 31536000 seconds.
     *
     * @default Duration.seconds(86400)
     */
    readonly overdueDeposit?: Duration;

    /**
     * How long a withdrawal or an exchange may be without a final status before it is reported as overdue.
     *
     * Must be 1 to 31536000 seconds.
     *
     * @default Duration.seconds(86400)
     */
    readonly overdueWithdrawal?: Duration;

    /**
     * How long a recovery may be unresolved before it is reported as overdue.
     *
     * Must be 1 to 31536000 seconds.
     *
     * @default Duration.seconds(604800)
     */
    readonly overdueRecovery?: Duration;

    /**
     * standard takes every kind of subscriber; fifo keeps each resource's events in order, for SQS subscribers. A
     * change replaces the topic, and its subscriptions go with the old one.
     *
     * @default TopicType.STANDARD
     */
    readonly topicType?: TopicType;

    /**
     * Other AWS accounts that may subscribe to the topic: account ids, or ARNs of roles in them. Empty means that only
     * this account may. They may subscribe SQS queues, Lambda functions and HTTPS endpoints.
     *
     * @default []
     */
    readonly subscriberPrincipals?: string[];

    /**
     * The ARN of an EventBridge bus that gets every event too, such as the account's default one. The detail is the
     * whole CloudEvent, the detail type its type, and the source its source. Empty means none.
     *
     * Must be empty or the ARN of an EventBridge bus.
     *
     * @default - empty
     */
    readonly eventBusArn?: string;

    /**
     * How long the publisher retries a change that it cannot publish before a pointer to it goes to the failure queue.
     *
     * Must be 60 to 82800 seconds.
     *
     * @default Duration.seconds(21600)
     */
    readonly streamRecordMaxAge?: Duration;

    /**
     * The webhooks of zerohash Connect per second that the API accepts. Further ones get 429, and the provider retries.
     *
     * Must be 1 to 10000 requests a second.
     *
     * @default 500
     */
    readonly connectThrottleRate?: number;

    /**
     * The burst of webhooks of zerohash Connect that is accepted before its throttle rate applies.
     *
     * Must be 1 to 5000 requests.
     *
     * @default 1000
     */
    readonly connectThrottleBurst?: number;

    /**
     * The webhooks of zerohash per second that the API accepts. Further ones get 429, and the provider retries.
     *
     * Must be 1 to 10000 requests a second.
     *
     * @default 500
     */
    readonly zerohashThrottleRate?: number;

    /**
     * The burst of webhooks of zerohash that is accepted before its throttle rate applies.
     *
     * Must be 1 to 5000 requests.
     *
     * @default 1000
     */
    readonly zerohashThrottleBurst?: number;

    /**
     * The webhooks of Striga per second that the API accepts. Further ones get 429, and the provider retries.
     *
     * Must be 1 to 10000 requests a second.
     *
     * @default 500
     */
    readonly strigaThrottleRate?: number;

    /**
     * The burst of webhooks of Striga that is accepted before its throttle rate applies.
     *
     * Must be 1 to 5000 requests.
     *
     * @default 1000
     */
    readonly strigaThrottleBurst?: number;

    /**
     * Whether the table, the evidence, the secrets and their encryption key outlive the stack. Choose false only for a
     * stack whose data may be lost.
     *
     * @default true
     */
    readonly retainData?: boolean;

    /**
     * How resources are written: statements (one call a batch) or puts (one call a resource). On AWS, statements; a
     * local stack needs puts, since its emulator writes no stream record for a statement.
     *
     * @default TableWrites.STATEMENTS
     */
    readonly tableWrites?: TableWrites;

    /**
     * How long the raw webhooks are kept as evidence.
     *
     * Must be 180 to 36500 days.
     *
     * @default Duration.days(2555)
     */
    readonly evidenceRetention?: Duration;

    /**
     * Whether statements are recorded and the reconciler runs by itself. With off, webhooks are accepted and archived,
     * and what they state waits in the queues, for 4 days at most. Choose off only while the table is being restored.
     * `true` means on, `false` means off.
     *
     * @default true
     */
    readonly recording?: boolean;

    /**
     * The ARN of the stream of a table that was restored from a backup and is to be used in place of the stack's own.
     * The stream must have new and old images. Empty means the stack's own table.
     *
     * Must be empty or the ARN of the stream of a table whose name has at most 128 characters.
     *
     * @default - empty
     */
    readonly restoredTableStreamArn?: string;

    /**
     * How long the logs of the functions and of the API are kept.
     *
     * Must be a retention that CloudWatch Logs offers, such as 7, 30, 90 or 365 days.
     *
     * @default Duration.days(30)
     */
    readonly logRetention?: Duration;

    /**
     * The processor architecture of the functions; sam build and sam deploy need the same value.
     *
     * @default Architecture.ARM64
     */
    readonly architecture?: Architecture;

    /**
     * The name of this deployment, such as 0.1.0 or 2026-11-29. With a name, the functions that process webhooks are
     * called through an alias, a deployment with another name moves traffic to the new versions gradually, and it is
     * rolled back when an alarm of the stack rings. Nothing changes for webhooks until the name changes, not even by
     * another parameter. Empty means that every change is in force at once.
     *
     * Must be empty, or at most 64 letters, digits, dots, underscores or hyphens.
     *
     * @default - empty
     */
    readonly deployment?: string;

    /**
     * How traffic moves to the new versions when Deployment changes, as CodeDeploy names it. Canary10Percent5Minutes
     * moves a tenth of it, and the rest 5 minutes later.
     *
     * @default DeploymentTraffic.CANARY_10_PERCENT_5_MINUTES
     */
    readonly deploymentTraffic?: DeploymentTraffic;

    /**
     * How many executions are reserved for the receiver, which is also its maximum. At least 100 other ones must remain
     * in the account. 0 means none.
     *
     * Must be 0 to 100000 executions.
     *
     * @default 0
     */
    readonly receiverReservedConcurrency?: number;

    /**
     * How many executions are reserved for fan-out, at least the 50 that its queue may use. 0 means none.
     *
     * Must be 0 to 100000 executions.
     *
     * @default 0
     */
    readonly fanOutReservedConcurrency?: number;

    /**
     * How many executions are reserved for the state-updater, at least the 70 that its queues may use. 0 means none.
     *
     * Must be 0 to 100000 executions.
     *
     * @default 0
     */
    readonly stateUpdaterReservedConcurrency?: number;

    /**
     * How many executions are reserved for the publisher, at least 4 for each shard of the table's stream. 0 means
     * none.
     *
     * Must be 0 to 100000 executions.
     *
     * @default 0
     */
    readonly publisherReservedConcurrency?: number;

    /**
     * Whether the stack has a dashboard, which shows whether money is flowing, and saved queries for its logs. `true`
     * means on, `false` means off.
     *
     * @default true
     */
    readonly dashboardEnabled?: boolean;

    /**
     * Whether metrics are emitted for each organization too, with the dimension tenant. CloudWatch charges for each of
     * them. With off, a metric is the sum of all organizations of a provider, or the worst of them, and the log names
     * that one. `true` means on, `false` means off.
     *
     * @default false
     */
    readonly metricsByFeed?: boolean;

    /**
     * Whether the functions send traces to X-Ray. A trace follows a webhook through the queues. `true` means on,
     * `false` means off.
     *
     * @default false
     */
    readonly tracingEnabled?: boolean;

    /**
     * What the functions log, as a RUST_LOG filter, for example info or info,receiver=debug.
     *
     * Must be a RUST_LOG filter of at most 128 characters, without spaces.
     *
     * @default "info"
     */
    readonly logLevel?: string;

    /**
     * The SNS topic that the alarms notify.
     *
     * @default - no topic
     */
    readonly alarmTopic?: sns.ITopic;
}
