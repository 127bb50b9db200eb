"""An AWS for tests: moto, made stricter and faster.

moto answers for about a hundred services, but it believes its callers. This package puts a gateway in front of it that behaves as
AWS does where an auditor would notice: who may call what, what a denial looks like on the wire, how calls are throttled.

    call       which operation of which service an HTTP request is
    actions    which IAM action that operation needs
    resources  which resource it is about, for a few services
    policies   the policy language: does this document allow that action
    access     who calls, and whether they may
    faults     throttling, errors and broken connections on request
    missing_operations   answers for what moto does not implement
    age        users and keys made older on request
    wire       errors in each AWS protocol's own format
    control    the /emulator/ endpoints through which tests steer all this
    gateway    the WSGI application that ties them together
    launch     the emulator in a process of its own, for tests in Python
    patches    corrections inside moto itself, one function each
"""
