output "topics" {
  description = "ARN of the topic by severity: TIDEMARK_NOTIFY takes sns:<ARN>."
  value       = { for severity, topic in aws_sns_topic.this : severity => topic.arn }
}

output "queues" {
  description = "URL of the queue by purpose: remedy, given-up, undelivered."
  value       = { for name, queue in aws_sqs_queue.this : name => queue.url }
}
