import type { ConnectionEncrypter } from '@libp2p/interface'
import {
  admissionEncrypter,
  NOISE_ADMISSION_PROLOGUE,
  NOISE_ADMISSION_PROTOCOL,
  TLS_ADMISSION_PROTOCOL,
  type AdmissionHost,
} from '../../protocols/admission/index.ts'
import { UPGRADE_TIMEOUT_MS } from './limits.ts'

/** Noise or TLS under the admission exchange; only the one that is used is loaded. */
export async function encrypterOf(
  transport: 'noise' | 'tls',
  host: AdmissionHost,
): Promise<(components: never) => ConnectionEncrypter> {
  if (transport === 'tls') {
    const { tls } = await import('@libp2p/tls')
    return admissionEncrypter(tls(), host, { protocol: TLS_ADMISSION_PROTOCOL, timeoutMs: UPGRADE_TIMEOUT_MS })
  }
  const { noise } = await import('@chainsafe/libp2p-noise')
  return admissionEncrypter(noise({ prologueBytes: NOISE_ADMISSION_PROLOGUE }), host, {
    protocol: NOISE_ADMISSION_PROTOCOL,
    timeoutMs: UPGRADE_TIMEOUT_MS,
  })
}
