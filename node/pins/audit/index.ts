export { createAudit, type Audit } from './audit.ts'
export type { AuditInit, AuditResult } from './types.ts'
