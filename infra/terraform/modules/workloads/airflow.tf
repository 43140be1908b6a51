# What Airflow may start, and which roles it may hand over.
locals {
  job_roles = "arn:${local.partition}:iam::${local.account}:role/${var.name}-"
  # All of the jobs' but that of erase, which a person starts.
  handed = [for key, workload in local.of_sources : "${local.job_roles}${key}" if workload.jobs && !endswith(key, "-erase")]

  serverless = try(var.emr_serverless.arn, "")
  on_eks     = try(var.emr_on_eks.arn, "")
  targets    = { Serverless = var.emr_serverless != null, OnEks = var.emr_on_eks != null, Clusters = length(var.emr_clusters) > 0, Nodes = length(var.emr_clusters) > 0 }

  starts = [for statement in [
    {
      Sid       = "StartServerless"
      Action    = ["emr-serverless:ListJobRuns", "emr-serverless:StartJobRun"]
      Resource  = [local.serverless]
      Condition = {}
    },
    {
      Sid       = "HandRolesToServerless"
      Action    = ["iam:PassRole"]
      Resource  = local.handed
      Condition = { StringEquals = { "iam:PassedToService" = "emr-serverless.amazonaws.com" } }
    },
    {
      Sid       = "FindOnEks"
      Action    = ["emr-containers:ListJobRuns"]
      Resource  = [local.on_eks]
      Condition = {}
    },
    {
      # The role goes with the call: EMR on EKS knows no PassRole.
      Sid       = "StartOnEks"
      Action    = ["emr-containers:StartJobRun"]
      Resource  = [local.on_eks]
      Condition = { ArnEquals = { "emr-containers:ExecutionRoleArn" = local.handed } }
    },
    {
      Sid       = "FindClusters"
      Action    = ["elasticmapreduce:ListClusters"]
      Resource  = ["*"]
      Condition = {}
    },
    {
      Sid       = "MakeClusters"
      Action    = ["elasticmapreduce:RunJobFlow"]
      Resource  = ["*"]
      Condition = { StringEquals = { "elasticmapreduce:RequestTag/Stack" = var.name } }
    },
    {
      # Told of at its making only, by those tags.
      Sid       = "TagClusters"
      Action    = ["elasticmapreduce:AddTags"]
      Resource  = ["arn:${local.partition}:elasticmapreduce:${local.here}:cluster/*"]
      Condition = { StringEquals = { "elasticmapreduce:RequestTag/Stack" = var.name } }
    },
    {
      Sid       = "UseClusters"
      Action    = ["elasticmapreduce:AddJobFlowSteps", "elasticmapreduce:ListSteps"]
      Resource  = ["arn:${local.partition}:elasticmapreduce:${local.here}:cluster/*"]
      Condition = { StringEquals = { "elasticmapreduce:ResourceTag/Stack" = var.name } }
    },
    {
      Sid       = "HandRolesToClusters"
      Action    = ["iam:PassRole"]
      Resource  = [for key in sort(tolist(var.emr_clusters)) : "${local.job_roles}${key}-emr"]
      Condition = { StringEquals = { "iam:PassedToService" = "elasticmapreduce.amazonaws.com" } }
    },
    {
      Sid       = "HandRolesToNodes"
      Action    = ["iam:PassRole"]
      Resource  = [for key in sort(tolist(var.emr_clusters)) : "${local.job_roles}${key}"]
      Condition = { StringLike = { "iam:PassedToService" = "ec2.amazonaws.com*" } }
    },
  ] : statement if local.targets[regex("(Serverless|OnEks|Clusters|Nodes)$", statement.Sid)[0]]]

  # Whoever waits for a job, a worker or the triggerer, looks at it and ends it.
  waits = [for statement in [
    {
      Sid       = "WaitServerless"
      Action    = ["emr-serverless:GetJobRun", "emr-serverless:CancelJobRun"]
      Resource  = ["${local.serverless}/jobruns/*"]
      Condition = {}
    },
    {
      Sid       = "WaitOnEks"
      Action    = ["emr-containers:DescribeJobRun", "emr-containers:CancelJobRun"]
      Resource  = ["${local.on_eks}/jobruns/*"]
      Condition = {}
    },
    {
      Sid = "WaitClusters"
      Action = [
        "elasticmapreduce:CancelSteps", "elasticmapreduce:DescribeCluster", "elasticmapreduce:DescribeStep",
        "elasticmapreduce:TerminateJobFlows",
      ]
      Resource  = ["arn:${local.partition}:elasticmapreduce:${local.here}:cluster/*"]
      Condition = { StringEquals = { "elasticmapreduce:ResourceTag/Stack" = var.name } }
    },
  ] : statement if local.targets[regex("(Serverless|OnEks|Clusters)$", statement.Sid)[0]]]

  of_cluster = { ArnEquals = { "ecs:cluster" = try(var.ecs.cluster_arn, "") } }

  scales = [for statement in [
    {
      Sid       = "StartWorkers"
      Action    = ["ecs:RunTask"]
      Resource  = ["arn:${local.partition}:ecs:${local.here}:task-definition/${try(var.ecs.worker_family, "")}:*"]
      Condition = local.of_cluster
    },
    {
      # It is asked of no resource but the cluster.
      Sid       = "CountWorkers"
      Action    = ["ecs:ListTasks"]
      Resource  = ["*"]
      Condition = local.of_cluster
    },
    {
      Sid       = "HandRolesToWorkers"
      Action    = ["iam:PassRole"]
      Resource  = ["${local.job_roles}airflow-worker", "${local.job_roles}airflow-tasks"]
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    },
  ] : statement if var.ecs != null]
}
