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
  description = "Names of the sources whose marts are read."
  type        = set(string)

  validation {
    condition     = length(var.sources) > 0
    error_message = "sources is empty: there is nothing to read."
  }
}

variable "lake" {
  description = "ARN of the lake's bucket and of its key."
  type        = object({ arn = string, kms_key = string })
}

variable "subnets" {
  description = "Ids of subnets without a way out, in three zones: Redshift wants so many."
  type        = list(string)

  validation {
    condition     = length(var.subnets) >= 3
    error_message = "subnets have to be three at least, in three zones."
  }
}

variable "security_group" {
  description = "Id of the security group that says who may connect."
  type        = string
}

variable "readers" {
  description = "Ids of the security groups of those who ask, by a name of ours; each of them has to let 5439 out."
  type        = map(string)
  default     = {}
}

variable "kms_key" {
  description = "ARN of the key for what it keeps, and for its owner's password."
  type        = string
}

variable "capacity" {
  description = "Redshift's units (RPU) at least and at most while something is asked, and how many hours of one unit a month: then nothing is answered any more."
  type        = object({ least = number, most = number, hours_a_month = number })
  default     = { least = 8, most = 16, hours_a_month = 200 }

  validation {
    condition     = var.capacity.least >= 8 && var.capacity.least % 8 == 0 && var.capacity.most >= var.capacity.least && var.capacity.most % 8 == 0
    error_message = "capacity: least and most have to be multiples of 8, and most at least least."
  }
}

variable "longest_query_seconds" {
  description = "After how long a query is ended."
  type        = number
  default     = 1800
}
