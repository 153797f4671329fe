"""A clinic that had a Django site of its own before it took in Tallystick's apps."""
