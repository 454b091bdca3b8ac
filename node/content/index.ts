export { createContent, type Content, type ContentInit, type ContentLimits } from './content.ts'
export { MAX_BLOCK_BYTES, MAX_MESSAGE_BYTES } from './constants.ts'
