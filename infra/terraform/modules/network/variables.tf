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

variable "cidr" {
  description = "Addresses of the network; a /16 is split into nine /20."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15))
    error_message = "cidr has to be a block that has room for 16 others, like 10.40.0.0/16."
  }
}

variable "zones" {
  description = "The availability zones, three of them."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "zones have to be three different ones: two are not enough to lose one and still agree."
  }
}

variable "nat" {
  description = "`zone`: a NAT gateway in each zone; `one`: one for all, which a development stack may lose; `none`: only AWS is reached, by endpoints."
  type        = string
  default     = "zone"

  validation {
    condition     = contains(["zone", "one", "none"], var.nat)
    error_message = "nat has to be zone, one or none."
  }
}

variable "endpoints" {
  description = "Services of AWS that are reached without leaving the network; S3 always is."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"]
}

variable "kms_key" {
  description = "ARN of the key for flow logs."
  type        = string
}

variable "flow_log_days" {
  description = "How long it is known who has talked to whom."
  type        = number
  default     = 365
}
