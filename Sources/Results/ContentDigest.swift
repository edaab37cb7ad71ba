import CCrypto

/// SHA-256 (FIPS 180-4) of octets, as results write it: `sha256:` and 64 hexadecimal digits.
enum ContentDigest {
    static func text(of bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let succeeded = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
        precondition(succeeded == 1 && count == 32, "SHA-256 fails only where libcrypto lacks it")
        return "sha256:" + digest.prefix(32).map { hexadecimal(UInt64($0), digits: 2) }.joined()
    }
}

/// The number in lower-case hexadecimal, with leading zeros.
func hexadecimal(_ value: UInt64, digits: Int = 16) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
