variable "name" {
  description = "Begins every name: <project>-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name has to be 3 to 32 of a-z, 0-9 and -, with a letter first: it becomes part of bucket names."
  }
}

variable "tags" {
  description = "On everything that can be tagged."
  type        = map(string)
}

variable "sources" {
  description = "What is mirrored, as the specs say: owner of a source, and the folders of its tables (public.orders)."
  type        = map(object({ owner = string, tables = list(string) }))
}

variable "lake" {
  description = "Name and ARN of the lake's bucket, and ARN of its key."
  type        = object({ name = string, arn = string, kms_key = string })
}

variable "topics" {
  description = "ARN of the topic by severity."
  type        = map(string)
}

variable "silence_minutes" {
  description = "After how long without a file from the stream somebody is told. The stream lands the marks at least, every five minutes."
  type        = number
  default     = 30
}
