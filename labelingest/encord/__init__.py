"""The parts of Encord's label row format that reader, writer and `labelingest show` share."""
