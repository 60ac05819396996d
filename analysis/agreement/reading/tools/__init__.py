"""What annotation tools and survey platforms write: a file a tool."""
