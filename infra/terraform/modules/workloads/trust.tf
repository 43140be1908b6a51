# Who may take a role: pods by their service account, jobs of our application, tasks of our account. Each says which
# cluster or account it has to come from, so that another's service cannot be talked into it.
locals {
  issuer = try(var.eks.oidc_issuer, "")

  trusted = { for key, workload in local.workloads : key => [for trust in [
    {
      when      = var.eks != null && workload.account != null
      Sid       = "Pods"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = {
        "aws:RequestTag/eks-cluster-name"           = try(var.eks.name, "")
        "aws:RequestTag/kubernetes-namespace"       = try(workload.account.namespace, "")
        "aws:RequestTag/kubernetes-service-account" = try(workload.account.name, "")
        "aws:SourceAccount"                         = local.account
      } }
    },
    {
      # EMR names its service accounts after the job's role, in a way that Terraform cannot compute.
      when      = var.eks != null && workload.jobs
      Sid       = "EmrOnEks"
      Principal = { Federated = try(var.eks.oidc_arn, "") }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = { "${local.issuer}:aud" = "sts.amazonaws.com" }
        StringLike   = { "${local.issuer}:sub" = "system:serviceaccount:${try(var.eks.jobs_namespace, "")}:emr-containers-sa-*-*-${local.account}-*" }
      }
    },
    {
      when      = var.emr_serverless != null && workload.jobs
      Sid       = "EmrServerless"
      Principal = { Service = "emr-serverless.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = try(var.emr_serverless.arn, "") }
      }
    },
    {
      # EC2 says of no machine which one asks: by the instance profile, which only who may pass the role can give.
      when      = contains(var.emr_clusters, key)
      Sid       = "EmrClusters"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = {}
    },
    {
      when      = try(workload.grant.mwaa, false)
      Sid       = "Mwaa"
      Principal = { Service = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"] }
      Action    = ["sts:AssumeRole"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = local.mwaa }
      }
    },
    {
      when      = var.ecs != null && startswith(key, "airflow-")
      Sid       = "EcsTasks"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.here}:*" }
      }
    },
    ] : merge(
    { Sid = trust.Sid, Effect = "Allow", Principal = trust.Principal, Action = trust.Action },
    { for name in ["Condition"] : name => trust.Condition if length(trust.Condition) > 0 },
  ) if trust.when] }
}
