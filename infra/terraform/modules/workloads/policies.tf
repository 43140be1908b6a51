# What a role may do: by prefix in buckets, by name of secrets, and what its grant says besides.
locals {
  # A level includes those before it.
  levels = { read = ["read", "write", "delete"], write = ["write", "delete"], delete = ["delete"] }

  # One entry for each workload and bucket that it has to do with.
  uses = { for use in flatten([for key, workload in local.workloads : [for bucket, given in workload.buckets : {
    id       = "${key}/${bucket}"
    workload = key
    bucket   = bucket
    arn      = var.buckets[bucket]
    key      = contains(["lake", "checkpoints"], bucket) ? var.kms_keys.lake : var.kms_keys.platform
    prefixes = { for level, includes in local.levels : level => flatten([for include in includes : try(given[include], [])]) }
  }]]) : use.id => use }

  # S3A looks whether the folders above a file are files: it may learn that they are not, and no more.
  above = { for id, use in local.uses : id => distinct(flatten([for prefix in use.prefixes.read : [
    for depth in range(1, length(split("/", trimsuffix(prefix, "/")))) : join("/", slice(split("/", prefix), 0, depth))
  ]])) }

  objects = { for id, use in local.uses : id => [for statement in [
    {
      Sid       = "List${title(use.bucket)}"
      Action    = ["s3:ListBucket"]
      Resource  = [use.arn]
      Condition = { StringLike = { "s3:prefix" = flatten([for prefix in use.prefixes.read : distinct(["${prefix}*", trimsuffix(prefix, "/")])]) } }
    },
    {
      Sid      = "LookAbove${title(use.bucket)}"
      Action   = ["s3:ListBucket"]
      Resource = [for folder in slice(local.above[id], 0, min(1, length(local.above[id]))) : use.arn]
      Condition = { StringEquals = {
        "s3:prefix"    = [for folder in local.above[id] : "${folder}/"]
        "s3:delimiter" = ["/"]
      } }
    },
    {
      Sid    = "Read${title(use.bucket)}"
      Action = ["s3:GetObject"]
      Resource = concat(
        [for prefix in use.prefixes.read : "${use.arn}/${prefix}*"],
        [for folder in local.above[id] : "${use.arn}/${folder}"],
      )
      Condition = {}
    },
    {
      Sid       = "Write${title(use.bucket)}"
      Action    = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
      Resource  = [for prefix in use.prefixes.write : "${use.arn}/${prefix}*"]
      Condition = {}
    },
    {
      Sid       = "Delete${title(use.bucket)}"
      Action    = ["s3:DeleteObject"]
      Resource  = [for prefix in use.prefixes.delete : "${use.arn}/${prefix}*"]
      Condition = {}
    },
  ] : statement if length(statement.Resource) > 0] }

  others = { for key, workload in local.workloads : key => [for statement in [
    {
      # A key by S3 or Secrets Manager only: nothing is decrypted that was not allowed to be read. And by SNS, for who
      # tells a topic encrypts what is told.
      Sid    = "Keys"
      Action = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = distinct(concat(
        [for use in local.uses : use.key if use.workload == key],
        [for secret in workload.secrets : var.kms_keys.platform],
        [for code in [var.kms_keys.platform] : code if workload.jobs],
      ))
      Condition = { StringEquals = { "kms:ViaService" = [
        for service in concat(["s3", "secretsmanager"], try(workload.grant.topics, false) ? ["sns"] : []) : "${service}.${local.region}.amazonaws.com"
      ] } }
    },
    {
      Sid       = "Secrets"
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = [for secret in workload.secrets : "arn:${local.partition}:secretsmanager:${local.here}:secret:${var.name}/${secret}${endswith(secret, "/") ? "*" : "-??????"}"]
      Condition = {}
    },
    {
      Sid       = "Databases"
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = [for arn in var.database_secrets : arn if try(workload.grant.databases, false)]
      Condition = {}
    },
    {
      Sid       = "Code"
      Action    = ["s3:GetObject"]
      Resource  = [for arn in [var.buckets["artefacts"]] : "${arn}/*" if workload.jobs]
      Condition = {}
    },
    {
      Sid       = "JobLogs"
      Action    = ["s3:PutObject"]
      Resource  = [for arn in [var.buckets["logs"]] : "${arn}/jobs/*" if workload.jobs]
      Condition = {}
    },
    {
      Sid       = "Tell"
      Action    = ["sns:Publish"]
      Resource  = [for topic in var.topics : topic if try(workload.grant.topics, false)]
      Condition = {}
    },
  ] : statement if length(statement.Resource) > 0] }

  # A statement without a condition has none, not an empty one.
  allowed = { for key, workload in local.workloads : key => [for statement in flatten([
    [for id, use in local.uses : local.objects[id] if use.workload == key],
    local.others[key],
    [for statement in local.starts : statement if try(workload.grant.jobs, false)],
    [for statement in local.waits : statement if try(workload.grant.waits, false)],
    [for statement in local.scales : statement if try(workload.grant.workers, false)],
    [for statement in local.runs : statement if try(workload.grant.mwaa, false)],
    ]) : merge(
    { Sid = statement.Sid, Effect = "Allow", Action = statement.Action, Resource = statement.Resource },
    { for name in ["Condition"] : name => statement.Condition if length(statement.Condition) > 0 },
  )] }
}
