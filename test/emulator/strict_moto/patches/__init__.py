"""Corrections inside moto, applied by apply() and by nothing else.

Each function replaces one thing and says why. They hook private names, so moto is pinned, and each has a test that fails when the name
it hooks has moved or moto no longer needs it.
"""

from strict_moto.patches import cloudformation, dispatch, dynamodb, ec2, ecs, eks, events, iam, kms, partitions, s3, sqs


def apply() -> None:
    """Patches moto in this process. Call it once, before the first request."""
    partitions.know_all()
    dispatch.remember_backend_of_host()
    dispatch.remember_method_names()
    sqs.read_clock_once_per_scan()
    dynamodb.remember_items_for_recovery()
    dynamodb.restore_tables_to_a_moment()
    dynamodb.serve_one_call_at_a_time()
    dynamodb.roll_back_items_not_tables()
    dynamodb.query_one_partition()
    dynamodb.compare_strings_directly()
    dynamodb.serialize_attributes_directly()
    dynamodb.measure_items_as_aws()
    dynamodb.refuse_long_batches()
    s3.serve_one_call_at_a_time()
    s3.protect_new_buckets()
    s3.keep_buckets_encrypted()
    s3.tell_blocked_encryption()
    s3.name_regions_of_buckets()
    s3.leave_denials_of_bucket_policies_to_the_guard()
    kms.refuse_as_aws()
    kms.keep_policies_as_text()
    ec2.list_regions_of_a_real_account()
    ec2.keep_virtualization_types()
    ecs.give_clusters_a_list_of_tags()
    eks.protect_clusters_from_deletion()
    events.match_by_pattern_only()
    cloudformation.review_one_stack_of_a_name()
    cloudformation.list_changes_of_parameters()
    cloudformation.fail_change_sets_without_changes()
    cloudformation.let_change_sets_change_the_stack()
    cloudformation.roll_back_stacks_that_fail()
    cloudformation.retain_what_policies_say()
    cloudformation.cut_generated_names()
    iam.offer_common_managed_policies()
    iam.name_policies_in_authorization_details()
    iam.report_root_user()
    iam.keep_policies_of_roles_as_text()
    iam.change_by_cloudformation()
