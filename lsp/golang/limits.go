package golang

// maxPackageText bounds the texts of a package, comments included; files beyond are not parsed.
// maxPackageFace bounds its face texts.
const maxPackageText = 32 << 20

const maxPackageFace = 16 << 20

// largePackage says why a file is not even parsed.
const largePackage = "the file is not read: with it, the package has more than %d MiB of text"
