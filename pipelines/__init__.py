"""What runs: each verb of `parcel-risk` reads, calls the layers below, and writes."""
