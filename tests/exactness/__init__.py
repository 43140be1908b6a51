"""What a database may do, case by case: the lake is the source byte for byte, or says loudly that it is not."""
