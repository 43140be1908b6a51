"""What lets one into a cluster of EKS: a signed question to STS, `python -m infra.deploy.token CLUSTER REGION`.

The format is that of aws-iam-authenticator: https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

import base64
import json
import sys
from datetime import UTC, datetime, timedelta

import boto3
from botocore.signers import RequestSigner

# EKS takes one for a quarter of an hour, whatever it says itself.
VALID = timedelta(minutes=14)
SIGNED_S = 60


def token(cluster: str, region: str) -> str:
    """Sign it with the credentials that boto3 finds."""
    session = boto3.Session(region_name=region)
    client = session.client("sts")
    signer = RequestSigner(
        client.meta.service_model.service_id, region, "sts", "v4", session.get_credentials(), session.events
    )
    request = {
        "method": "GET",
        "url": f"{client.meta.endpoint_url.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(request, operation_name="", expires_in=SIGNED_S, region_name=region)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def credential(cluster: str, region: str) -> dict[str, object]:
    """Give it as kubectl's and Helm's `exec` reads it."""
    until = (datetime.now(UTC) + VALID).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"expirationTimestamp": until, "token": token(cluster, region)}
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}


if __name__ == "__main__":
    print(json.dumps(credential(*sys.argv[1:3])))
