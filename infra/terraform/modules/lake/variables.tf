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

variable "kms_keys" {
  description = "ARN of the key by purpose: `lake` for what tables consist of, `platform` for the rest."
  type        = object({ lake = string, platform = string })
}

variable "sources" {
  description = "Names of the sources that are mirrored: a database of Glue for each of their layers."
  type        = set(string)

  validation {
    condition     = alltrue([for source in var.sources : can(regex("^[a-z][a-z0-9_]*$", source))])
    error_message = "sources have to be a-z, 0-9 and _ with a letter first, as in source.yaml."
  }
}

variable "noncurrent_days" {
  description = "How long what was deleted or written over can be taken back. What `tidemark erase` deletes is gone from the bucket only then."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days has to be at least 1: S3 expires by whole days."
  }
}

variable "log_days" {
  description = "How long logs are kept, and when they move to a cheaper class."
  type        = object({ cheaper_after = number, expire_after = number })
  default     = { cheaper_after = 30, expire_after = 90 }

  validation {
    condition     = var.log_days.cheaper_after >= 30 && var.log_days.expire_after > var.log_days.cheaper_after
    error_message = "log_days: S3 takes no transition to STANDARD_IA before 30 days, and what expires first never moves."
  }
}

variable "force_destroy" {
  description = "Whether `destroy` deletes buckets that hold something: never in production."
  type        = bool
  default     = false
}

variable "lake_formation" {
  description = "Whether databases get Lake Formation's tags; whoever applies has to be one of its administrators."
  type        = bool
  default     = false
}
