"""What can be configured: classes and schemas, how config is checked, and how it becomes other config."""
