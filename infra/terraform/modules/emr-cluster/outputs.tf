output "id" {
  description = "TIDEMARK_EMR_CLUSTER: the cluster that stands, or nothing."
  value       = one(aws_emr_cluster.this[*].id)
}

output "template" {
  description = "Of TIDEMARK_EMR_CREATE: what RunJobFlow takes, the extra of the Airflow connection by which a cluster is made for each job."
  value = {
    ReleaseLabel          = var.release
    Applications          = [{ Name = "Spark" }]
    ServiceRole           = aws_iam_role.service.arn
    JobFlowRole           = aws_iam_instance_profile.nodes.arn
    SecurityConfiguration = aws_emr_security_configuration.this.name
    LogUri                = var.log_uri
    VisibleToAllUsers     = true
    ScaleDownBehavior     = "TERMINATE_AT_TASK_COMPLETION"
    Tags                  = [for key, value in local.tags : { Key = key, Value = value }]

    BootstrapActions = [for action in local.bootstrap : {
      Name                  = action.name
      ScriptBootstrapAction = { Path = action.path, Args = action.args }
    }]
    Instances = {
      Ec2SubnetId                    = var.subnet
      EmrManagedMasterSecurityGroup  = aws_security_group.this["primary"].id
      EmrManagedSlaveSecurityGroup   = aws_security_group.this["core"].id
      ServiceAccessSecurityGroup     = aws_security_group.this["service"].id
      AdditionalMasterSecurityGroups = [var.security_group]
      AdditionalSlaveSecurityGroups  = [var.security_group]
      InstanceGroups = [
        { Name = "primary", InstanceRole = "MASTER", InstanceType = var.primary_type, InstanceCount = 1 },
        { Name = "core", InstanceRole = "CORE", InstanceType = var.core_type, InstanceCount = var.nodes.least },
      ]
    }
    ManagedScalingPolicy = { ComputeLimits = {
      UnitType                     = "Instances"
      MinimumCapacityUnits         = var.nodes.least
      MaximumCapacityUnits         = var.nodes.most
      MaximumCoreCapacityUnits     = var.nodes.most
      MaximumOnDemandCapacityUnits = var.nodes.most
    } }
  }
}
