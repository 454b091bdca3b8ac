import { registerAdd, registerRm, registerUpdate } from '../pin/change.ts'
import { registerLs, registerStatus } from '../pin/look.ts'
import { registerPlan, registerRecover, registerVerify } from '../pin/mend.ts'
import { examples, type Register } from '../program.ts'

export const register: Register = (program, io) => {
  const pin = program.command('pin').description('what the cell keeps: agreed (ls), and as it is observed (status)')
  examples(pin, 'kairos pin ls', 'kairos pin status --filter pin_error')
  for (const registerOne of [
    registerAdd,
    registerRm,
    registerUpdate,
    registerLs,
    registerStatus,
    registerRecover,
    registerVerify,
    registerPlan,
  ])
    registerOne(pin, io)
}
