export * from './sandbox.js'
