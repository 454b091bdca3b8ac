import { extensionCodec, type Extension } from '../../../consensus/epoch/index.ts'
import type { Dice } from '../dice.ts'

const FAR_MS = 1e9

/** What a liar's precommit says beside its vote. */
export function falseExtension(honest: Uint8Array, dice: Dice): Uint8Array {
  const extension = extensionCodec.decode(honest)
  if (dice.chance(0.2)) return Uint8Array.from({ length: dice.whole(0, 60) }, () => dice.whole(0, 255))
  return extensionCodec.encode(dice.chance(0.5) ? otherClock(extension, dice) : otherNames(extension, dice))
}

function otherClock(extension: Extension, dice: Dice): Extension {
  return { ...extension, time: Math.floor(extension.time + dice.between(-FAR_MS, FAR_MS)) }
}

/** Some left out, some that nobody ever saw. */
function otherNames({ time, reports }: Extension, dice: Dice): Extension {
  const kept = reports.filter(() => dice.chance(0.5))
  const invented = reports
    .filter((one) => !kept.includes(one))
    .map(([reporter]) => [reporter, Uint8Array.from({ length: 32 }, () => dice.whole(0, 255))] as const)
  return { time, reports: [...kept, ...invented].sort(([a], [b]) => a - b) }
}
