"""Low-pass filters of Daubechies' least asymmetric wavelets, which ADA resamples images with.

The filters are orthonormal: their sum of squares is 1, their sum sqrt 2, and they are orthogonal to
their own shifts by even numbers of taps, so that what was upsampled by two with one is restored by
downsampling with it. The order of the taps is that of decomposition filters.

References:
    Daubechies, Ten Lectures on Wavelets, 1992, section 8.1.
"""

SYM2 = (
    -0.12940952255126037,
    0.2241438680420134,
    0.8365163037378079,
    0.48296291314453416,
)
"""Two vanishing moments, 4 taps: Daubechies' own of this length."""
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""Six vanishing moments, 12 taps."""
