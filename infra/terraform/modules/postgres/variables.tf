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

variable "purpose" {
  description = "What it is for, and how it is called: metadata, or the name of a source."
  type        = string
}

variable "engine_version" {
  description = "Major version: minor ones come by themselves in the maintenance window."
  type        = string
  default     = "17"

  validation {
    condition     = contains(["15", "16", "17", "18"], var.engine_version)
    error_message = "engine_version has to be 15 to 18: older ones are at their end, or tidemark does not read them."
  }
}

variable "instance_class" {
  description = "Size of the machine: it does not change by itself."
  type        = string
  default     = "db.t4g.medium"
}

variable "storage" {
  description = "Gigabytes: what it begins with, and up to what it grows by itself."
  type        = object({ begin = number, most = number })
  default     = { begin = 20, most = 200 }

  validation {
    condition     = var.storage.begin >= 20 && var.storage.most >= var.storage.begin * 1.1
    error_message = "storage.begin has to be at least 20, and storage.most a tenth more: RDS refuses less."
  }
}

variable "multi_az" {
  description = "Whether a second machine in another zone takes over when the first is lost."
  type        = bool
  default     = true
}

variable "logical" {
  description = "Whether it is mirrored: settings for logical replication, and alarms on what a slot holds back. `keep_gb` is the most that a slot may hold before it is lost."
  type        = object({ slots = number, keep_gb = number })
  default     = null
}

variable "backup_days" {
  description = "How far back it can be restored, to the second."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days has to be 1 to 35: RDS keeps no longer, and none is no backup."
  }
}

variable "subnets" {
  description = "Ids of subnets without a way out, in two zones at least."
  type        = list(string)
}

variable "security_group" {
  description = "Id of the security group that says who may connect."
  type        = string
}

variable "kms_key" {
  description = "ARN of the key for data, backups, password and Performance Insights."
  type        = string
}

variable "alarm_topics" {
  description = "ARNs of SNS topics that are told."
  type        = list(string)
  default     = []
}

variable "protect" {
  description = "Whether it cannot be destroyed, and leaves a last snapshot: off only for stacks that come and go."
  type        = bool
  default     = true
}
