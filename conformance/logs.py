"""Logs of load balancers in a folder of buckets: turning them on, and reading them."""

import gzip


def turn_on(elb, arn, log, bucket, prefix=""):
    values = {"enabled": "true", "bucket": bucket, "prefix": prefix}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[
        {"Key": f"{log}.s3.{key}", "Value": value} for key, value in values.items()
    ])


def turn_off(elb, arn, log):
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": f"{log}.s3.enabled", "Value": "false"}]
    )


def objects(folder):
    return sorted(path for path in folder.rglob("*.log.gz") if path.is_file())


def lines(folder):
    return [line for path in objects(folder) for line in gzip.open(path, "rt").read().splitlines()]
