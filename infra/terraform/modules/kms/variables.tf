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

variable "keys" {
  description = "One key per purpose; `services` are those of AWS that encrypt with it on their own, by their principal (logs.eu-central-1.amazonaws.com)."
  type = map(object({
    description = string
    services    = optional(list(string), [])
  }))
}

variable "deletion_window_days" {
  description = "How long a key that is deleted can still be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days has to be 7 to 30: KMS knows no other."
  }
}
