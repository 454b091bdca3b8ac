export type {
  Admission,
  AdmissionHost,
  Certificate,
  Founder,
  Genesis,
  GenesisOperator,
  Hello,
  Member,
  RefusalInfo,
  Right,
  Role,
  Ticket,
} from './types.ts'
