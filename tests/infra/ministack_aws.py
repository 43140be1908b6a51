"""MiniStack as AWS, with what Terraform's provider finds missing; `python -m … PORT`."""

import os
import sys


def mend() -> None:
    """An issuer of EKS is https, as IAM wants it; nobody here fetches anything from it."""
    from ministack.services import eks

    eks._ministack_issuer_base = lambda: f"https://oidc.eks.{os.environ['MINISTACK_REGION']}.amazonaws.com"


if __name__ == "__main__":
    os.environ["GATEWAY_PORT"] = sys.argv[1]
    mend()
    from ministack.app import main

    sys.argv[1:] = []
    main()
