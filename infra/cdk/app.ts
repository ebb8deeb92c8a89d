// An example: Fundhook with zerohash, a queue of deposits, and a role that reads what is recorded. `npx cdk synth`
import { existsSync } from 'fs';
import { join } from 'path';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Fundhook, FundhookCode } from './lib';

const app = new App();
const stack = new Stack(app, 'Fundhook');

// `npx cdk deploy --context release=DIRECTORY` deploys a release.
const release = app.node.tryGetContext('release');
const built = join(__dirname, '..', '..', 'target', 'lambda');
const code = release ? FundhookCode.fromRelease(release)
    : existsSync(join(built, 'receiver')) ? FundhookCode.fromLocalBuild(built)
    : FundhookCode.notBuilt();

const alarmTopic = new sns.Topic(stack, 'AlarmTopic');
const fundhook = new Fundhook(stack, 'Fundhook', { code, alarmTopic, zerohashEnabled: true });

const queue = fundhook.addSubscriber('Ledger', { kinds: ['deposit', 'withdrawal', 'fee', 'exchange'] });
new CfnOutput(stack, 'LedgerQueueUrl', { value: queue.queueUrl });

const support = new iam.Role(stack, 'Support', { assumedBy: new iam.AccountRootPrincipal() });
fundhook.grantReadState(support);
