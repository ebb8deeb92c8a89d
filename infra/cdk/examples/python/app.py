"""The example of ../../app.ts in Python."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from fundhook_cdk import Fundhook, FundhookCode

app = App()
stack = Stack(app, "Fundhook")

# `cdk deploy --context release=DIRECTORY` deploys a release.
release = app.node.try_get_context("release")
built = Path(__file__).resolve().parents[4] / "target" / "lambda"
if release:
    code = FundhookCode.from_release(release)
elif (built / "receiver").exists():
    code = FundhookCode.from_local_build(str(built))
else:
    code = FundhookCode.not_built()

alarm_topic = sns.Topic(stack, "AlarmTopic")
fundhook = Fundhook(stack, "Fundhook", code=code, alarm_topic=alarm_topic, zerohash_enabled=True)

queue = fundhook.add_subscriber("Ledger", kinds=["deposit", "withdrawal", "fee", "exchange"])
CfnOutput(stack, "LedgerQueueUrl", value=queue.queue_url)

support = iam.Role(stack, "Support", assumed_by=iam.AccountRootPrincipal())
fundhook.grant_read_state(support)

app.synth()
