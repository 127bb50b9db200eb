"""EC2's list of regions, and images as they are registered."""

from moto.core.responses import ActionResult
from moto.ec2.models.availability_zones_and_regions import Region
from moto.ec2.models.amis import Ami
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions

# The regions every account has without asking, and some that it would have to enable.
ENABLED = [
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
]  # fmt: skip
DISABLED = ["af-south-1", "ap-east-1", "eu-south-1", "il-central-1", "me-south-1"]


def list_regions_of_a_real_account() -> None:
    """moto lists 38 regions as one account's, GovCloud's and China's among them, and ignores AllRegions and Filters."""
    regions = [_region(name, "opt-in-not-required") for name in ENABLED] + [_region(name, "not-opted-in") for name in DISABLED]

    def describe_regions(response: AvailabilityZonesAndRegions) -> ActionResult:
        response.error_on_dryrun()
        names = response._get_param("RegionNames", [])
        listed = regions if names or response._get_bool_param("AllRegions") else regions[: len(ENABLED)]
        wanted = {each["Name"]: each["Values"] for each in response._get_param("Filters", [])}
        return ActionResult(
            {
                "Regions": [
                    region
                    for region in listed
                    if region.name in (names or [region.name])
                    and region.name in wanted.get("region-name", [region.name])
                    and region.opt_in_status in wanted.get("opt-in-status", [region.opt_in_status])
                ]
            }
        )

    AvailabilityZonesAndRegions.describe_regions = describe_regions


def keep_virtualization_types() -> None:
    """moto forgets the virtualization type that an image is registered with; AWS's own default is paravirtual."""
    register = AmisResponse.register_image

    def register_image(response: AmisResponse) -> ActionResult:
        answer = register(response)
        image: Ami = response.ec2_backend.amis[answer.result["ImageId"]]
        image.virtualization_type = response._get_param("VirtualizationType", "paravirtual")
        return answer

    AmisResponse.register_image = register_image


def _region(name: str, opt_in_status: str) -> Region:
    return Region(name, f"ec2.{name}.amazonaws.com", opt_in_status)
