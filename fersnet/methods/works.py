"""References of what is no method and no dataset: works that the project's own parts follow, and the tools it uses."""

from dataclasses import dataclass

from fersnet.methods.contract import Reference


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A package that results rest on."""

    package: str
    """Its name in `pyproject.toml`."""
    name: str
    """Printed name."""
    reference: Reference


PAPER = Reference(
    authors="Zhao R., Liu T., Xiao J., Lun D. P. K. and Lam K.-M.",
    title="Deep Multi-task Learning for Facial Expression Recognition and Synthesis Based on Selective Feature Sharing",
    venue="International Conference on Pattern Recognition (ICPR)",
    year=2020,
    arxiv="2007.04514",
)
"""The paper, which `CITATION.cff` names, too; that file is not there where the package is installed."""

PARTS: dict[str, Reference] = {
    "Identity features (LightCNN-9)": Reference(
        authors="Wu X., He R., Sun Z. and Tan T.",
        title="A Light CNN for Deep Face Representation with Noisy Labels",
        venue="IEEE Transactions on Information Forensics and Security 13(11)",
        year=2018,
        arxiv="1511.02683",
    ),
    "Expressions of the rendered faces": Reference(
        authors="Ekman P., Friesen W. V. and Hager J. C.",
        title="Facial Action Coding System: Investigator's Guide",
        venue="A Human Face, Salt Lake City",
        year=2002,
    ),
}

TOOLS: tuple[Tool, ...] = (
    Tool(
        package="torch",
        name="PyTorch",
        reference=Reference(
            authors="Paszke A., Gross S., Massa F., Lerer A., Bradbury J. and others",
            title="PyTorch: An Imperative Style, High-Performance Deep Learning Library",
            venue="NeurIPS",
            year=2019,
            arxiv="1912.01703",
        ),
    ),
    Tool(
        package="snakemake",
        name="Snakemake",
        reference=Reference(
            authors="Mölder F., Jablonski K. P., Letcher B., Hall M. B., Tomkins-Tinch C. H. and others",
            title="Sustainable Data Analysis with Snakemake",
            venue="F1000Research 10:33",
            year=2021,
            doi="10.12688/f1000research.29032.2",
        ),
    ),
    Tool(
        package="mlflow",
        name="MLflow",
        reference=Reference(
            authors="Zaharia M., Chen A., Davidson A., Ghodsi A., Hong S. A. and others",
            title="Accelerating the Machine Learning Lifecycle with MLflow",
            venue="IEEE Data Engineering Bulletin 41(4)",
            year=2018,
        ),
    ),
    Tool(
        package="numpy",
        name="NumPy",
        reference=Reference(
            authors="Harris C. R., Millman K. J., van der Walt S. J., Gommers R., Virtanen P. and others",
            title="Array Programming with NumPy",
            venue="Nature 585",
            year=2020,
            doi="10.1038/s41586-020-2649-2",
        ),
    ),
    Tool(
        package="scipy",
        name="SciPy",
        reference=Reference(
            authors="Virtanen P., Gommers R., Oliphant T. E., Haberland M., Reddy T. and others",
            title="SciPy 1.0: Fundamental Algorithms for Scientific Computing in Python",
            venue="Nature Methods 17",
            year=2020,
            doi="10.1038/s41592-019-0686-2",
        ),
    ),
    Tool(
        package="scikit-learn",
        name="scikit-learn",
        reference=Reference(
            authors="Pedregosa F., Varoquaux G., Gramfort A., Michel V., Thirion B. and others",
            title="Scikit-learn: Machine Learning in Python",
            venue="Journal of Machine Learning Research 12",
            year=2011,
            arxiv="1201.0490",
        ),
    ),
    Tool(
        package="scikit-image",
        name="scikit-image",
        reference=Reference(
            authors="van der Walt S., Schönberger J. L., Nunez-Iglesias J., Boulogne F., Warner J. D. and others",
            title="scikit-image: Image Processing in Python",
            venue="PeerJ 2:e453",
            year=2014,
            doi="10.7717/peerj.453",
        ),
    ),
    Tool(
        package="opencv-python",
        name="OpenCV",
        reference=Reference(
            authors="Bradski G.", title="The OpenCV Library", venue="Dr. Dobb's Journal of Software Tools", year=2000
        ),
    ),
    Tool(
        package="dlib-bin",
        name="dlib",
        reference=Reference(
            authors="King D. E.",
            title="Dlib-ml: A Machine Learning Toolkit",
            venue="Journal of Machine Learning Research 10",
            year=2009,
        ),
    ),
    Tool(
        package="face-recognition-models",
        name="dlib's 68-point predictor",
        reference=Reference(
            authors="Kazemi V. and Sullivan J.",
            title="One Millisecond Face Alignment with an Ensemble of Regression Trees",
            venue="CVPR",
            year=2014,
        ),
    ),
    Tool(
        package="face-alignment",
        name="face-alignment",
        reference=Reference(
            authors="Bulat A. and Tzimiropoulos G.",
            title="How Far Are We from Solving the 2D & 3D Face Alignment Problem? "
            "(And a Dataset of 230,000 3D Facial Landmarks)",
            venue="ICCV",
            year=2017,
            arxiv="1703.07332",
        ),
    ),
    Tool(
        package="pandas",
        name="pandas",
        reference=Reference(
            authors="McKinney W.",
            title="Data Structures for Statistical Computing in Python",
            venue="Proceedings of the 9th Python in Science Conference",
            year=2010,
            doi="10.25080/Majora-92bf1922-00a",
        ),
    ),
    Tool(
        package="matplotlib",
        name="matplotlib",
        reference=Reference(
            authors="Hunter J. D.",
            title="Matplotlib: A 2D Graphics Environment",
            venue="Computing in Science & Engineering 9(3)",
            year=2007,
            doi="10.1109/MCSE.2007.55",
        ),
    ),
    Tool(
        package="seaborn",
        name="seaborn",
        reference=Reference(
            authors="Waskom M. L.",
            title="seaborn: Statistical Data Visualization",
            venue="Journal of Open Source Software 6(60)",
            year=2021,
            doi="10.21105/joss.03021",
        ),
    ),
)
