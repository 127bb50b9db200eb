"""Makes real resources of a SAM template in the emulator.

    template    SAM to CloudFormation, and what of it the emulator cannot hold
    rewrite     what moto cannot resolve itself
    resolve     the value of intrinsic functions
    kinds       which types of resources are whose: the emulator's, ours, the host's
    create      the stack, with what moto's CloudFormation drops applied through the API
    facts       what became of it, for Go
"""
