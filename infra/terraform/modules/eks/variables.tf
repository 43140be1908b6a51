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

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.34"

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version has to be 1.32 or newer, like 1.34."
  }
}

variable "subnets" {
  description = "Ids of private subnets, in two zones at least."
  type        = list(string)
}

variable "public_from" {
  description = "Addresses from which the API of Kubernetes is reached over the internet; none, and it is reached from the network only."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.public_from, "0.0.0.0/0")
    error_message = "public_from has to name addresses: 0.0.0.0/0 is everybody."
  }
}

variable "admins" {
  description = "ARN of the roles that may do everything in the cluster, by a name of ours. Whoever makes it is none by that alone."
  type        = map(string)
}

variable "node_groups" {
  description = "Nodes by what runs on them: `streaming`, `batch`, `platform`. Each has a security group; all but those of `platform` take only pods that ask for them."
  type = map(object({
    instance_types = list(string)
    least          = number
    most           = number
    disk_gb        = optional(number, 50)
    spot           = optional(bool, false)
    security_group = string
  }))

  validation {
    condition     = contains(keys(var.node_groups), "platform")
    error_message = "node_groups has to have platform: everything else needs CoreDNS and its like."
  }
  validation {
    condition     = alltrue([for group in var.node_groups : group.most >= group.least])
    error_message = "node_groups: most has to be at least least."
  }
}

variable "pod_identities" {
  description = "ARN of the role by service account, written <namespace>/<service account>."
  type        = map(string)
  default     = {}
}

variable "kms_key" {
  description = "ARN of the key for Kubernetes' secrets and the logs of the control plane."
  type        = string
}

variable "log_days" {
  description = "How long logs of the control plane are kept."
  type        = number
  default     = 365
}
