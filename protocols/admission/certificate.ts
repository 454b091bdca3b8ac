import type { Ed25519PrivateKey } from '@libp2p/interface'
import { encode } from '@ipld/dag-cbor'
import { sign, verify } from '../shared/signature.ts'
import { CERTIFICATE_DOMAIN } from './constants.ts'
import { strictKeyFrom } from './keys.ts'
import type { Certificate } from './types.ts'

export type CertificateBody = Omit<Certificate, 'signature'>

/**
 * Signs what it is given; whether the issuer may give it, `brokenBy` decides. The signature is
 * deterministic (RFC 8032): equal bodies give equal bytes.
 */
export async function issueCertificate(key: Ed25519PrivateKey, body: CertificateBody): Promise<Certificate> {
  return { ...body, signature: await sign(key, CERTIFICATE_DOMAIN, encode(body)) }
}

/** @returns whether the issuer that the certificate names has signed exactly this */
export function isSigned({ signature, ...body }: Certificate): boolean {
  return verify(strictKeyFrom(body.issuer), CERTIFICATE_DOMAIN, encode(body), signature)
}
