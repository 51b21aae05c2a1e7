//! Operations of ec2 as clients call them: security_groups.
