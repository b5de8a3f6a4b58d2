"""Sources of images and points, and the pipeline that feeds them to the devices."""
