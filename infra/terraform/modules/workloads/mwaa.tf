# What MWAA asks of the role of an environment, as AWS's own page has it (User Guide, "Amazon MWAA execution role"). It
# looks at the bucket with DAG files when it is made, with calls that nobody lists: so of that bucket alone the role may
# read all there is.
locals {
  mwaa = "arn:${local.partition}:airflow:${local.here}:environment/${var.name}"

  runs = [
    {
      Sid       = "TellHowItIs"
      Action    = ["airflow:PublishMetrics"]
      Resource  = [local.mwaa]
      Condition = {}
    },
    {
      Sid       = "ReadDags"
      Action    = ["s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetObject*", "s3:List*"]
      Resource  = [var.buckets["dags"], "${var.buckets["dags"]}/*"]
      Condition = {}
    },
    {
      # None of them is asked of a resource.
      Sid       = "LookAround"
      Action    = ["cloudwatch:PutMetricData", "logs:DescribeLogGroups", "s3:GetAccountPublicAccessBlock"]
      Resource  = ["*"]
      Condition = {}
    },
    {
      Sid = "Log"
      Action = [
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:GetLogEvents", "logs:GetLogGroupFields", "logs:GetLogRecord",
        "logs:GetQueryResults", "logs:PutLogEvents",
      ]
      Resource  = ["arn:${local.partition}:logs:${local.here}:log-group:airflow-${var.name}-*"]
      Condition = {}
    },
    {
      # The queue is in an account of AWS's.
      Sid = "Queue"
      Action = [
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
        "sqs:SendMessage",
      ]
      Resource  = ["arn:${local.partition}:sqs:${local.region}:*:airflow-celery-*"]
      Condition = {}
    },
    {
      Sid       = "KeyOfQueueAndDags"
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"]
      Resource  = [var.kms_keys.platform]
      Condition = { StringEquals = { "kms:ViaService" = [for service in ["sqs", "s3"] : "${service}.${local.region}.amazonaws.com"] } }
    },
  ]
}
