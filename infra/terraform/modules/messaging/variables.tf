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

variable "kms_key" {
  description = "ARN of the key; its policy has to let SNS, EventBridge and CloudWatch use it."
  type        = string
}

variable "subscribers" {
  description = "E-mail addresses by severity: `critical` wakes somebody up, `warning` is read in the morning, `info` when one wonders."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = alltrue([for severity in keys(var.subscribers) : contains(["critical", "warning", "info"], severity)])
    error_message = "subscribers has to be by critical, warning or info."
  }
}
