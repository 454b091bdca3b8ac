/* @ts-self-types="./coherence.d.ts" */

export class F32Array {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        F32ArrayFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_f32array_free(ptr, 0);
    }
    /**
     * `length` zeros.
     * @param {number} length
     */
    constructor(length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.f32array_new(retptr, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            F32ArrayFinalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     * @returns {number}
     */
    get pointer() {
        const ret = wasm.f32array_pointer(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) F32Array.prototype[Symbol.dispose] = F32Array.prototype.free;

export class F64Array {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        F64ArrayFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_f64array_free(ptr, 0);
    }
    /**
     * `length` zeros.
     * @param {number} length
     */
    constructor(length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.f64array_new(retptr, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            F64ArrayFinalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     * @returns {number}
     */
    get pointer() {
        const ret = wasm.f64array_pointer(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) F64Array.prototype[Symbol.dispose] = F64Array.prototype.free;

/**
 * Coefficients of one block of real samples at many frequencies.
 */
export class GoertzelBankF32 {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        GoertzelBankF32Finalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_goertzelbankf32_free(ptr, 0);
    }
    /**
     * @returns {number}
     */
    get im() {
        const ret = wasm.goertzelbankf32_im(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * * `angles` - ω·h of each frequency, rad a sample, 1 to 2^16 of them; copied
     * * `max_values` - samples of the longest block, 1 or more
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     * @param {F64Array} angles
     * @param {number} max_values
     */
    constructor(angles, max_values) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            _assertClass(angles, F64Array);
            wasm.goertzelbankf32_new(retptr, angles.__wbg_ptr, max_values);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            GoertzelBankF32Finalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get re() {
        const ret = wasm.goertzelbankf32_re(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * `re` and `im` of every frequency from the first `length` samples; 0 from none.
     *
     * Errors: E_KERNEL_LENGTH when the block is shorter.
     * @param {number} length
     */
    transform(length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.goertzelbankf32_transform(retptr, this.__wbg_ptr, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * The block, written by the caller.
     * @returns {number}
     */
    get values() {
        const ret = wasm.goertzelbankf32_values(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) GoertzelBankF32.prototype[Symbol.dispose] = GoertzelBankF32.prototype.free;

/**
 * Coefficients of one block of real samples at many frequencies.
 */
export class GoertzelBankF64 {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        GoertzelBankF64Finalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_goertzelbankf64_free(ptr, 0);
    }
    /**
     * @returns {number}
     */
    get im() {
        const ret = wasm.goertzelbankf64_im(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * * `angles` - ω·h of each frequency, rad a sample, 1 to 2^16 of them; copied
     * * `max_values` - samples of the longest block, 1 or more
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     * @param {F64Array} angles
     * @param {number} max_values
     */
    constructor(angles, max_values) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            _assertClass(angles, F64Array);
            wasm.goertzelbankf64_new(retptr, angles.__wbg_ptr, max_values);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            GoertzelBankF64Finalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get re() {
        const ret = wasm.goertzelbankf64_re(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * `re` and `im` of every frequency from the first `length` samples; 0 from none.
     *
     * Errors: E_KERNEL_LENGTH when the block is shorter.
     * @param {number} length
     */
    transform(length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.goertzelbankf64_transform(retptr, this.__wbg_ptr, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * The block, written by the caller.
     * @returns {number}
     */
    get values() {
        const ret = wasm.goertzelbankf64_values(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) GoertzelBankF64.prototype[Symbol.dispose] = GoertzelBankF64.prototype.free;

export class I32Array {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        I32ArrayFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_i32array_free(ptr, 0);
    }
    /**
     * `length` zeros.
     * @param {number} length
     */
    constructor(length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.i32array_new(retptr, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            I32ArrayFinalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     * @returns {number}
     */
    get pointer() {
        const ret = wasm.i32array_pointer(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) I32Array.prototype[Symbol.dispose] = I32Array.prototype.free;

/**
 * Many streams, each with its own T, advanced together.
 *
 * `phases` and `past` hold one row a time step, of all streams side by side; `t` and `sums` a row of real and
 * one of imaginary parts. The caller writes `phases`, and after a call brings `past` up to date and reads
 * T = a^m·t + (1-a)·sums, m = count mod 16.
 */
export class LeakyBankF32 {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        LeakyBankF32Finalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_leakybankf32_free(ptr, 0);
    }
    /**
     * Advances every stream by the first `steps` rows of `phases`.
     *
     * * `count` - samples that each stream had before, a whole number under 2^53
     *
     * Errors: E_KERNEL_LENGTH when there are fewer rows, E_KERNEL_RANGE.
     * @param {number} steps
     * @param {number} count
     */
    advance(steps, count) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.leakybankf32_advance(retptr, this.__wbg_ptr, steps, count);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * * `form` - 0 REF, 1 AUTO, 2 CYCLIC
     * * `streams` - 1 to 2^20; `max_steps` - rows of `phases`, 1 or more; `lag` - L in samples, 0 for REF
     * * `omega` - rad/s; `step` - h and `tau` in seconds, above 0
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     * @param {number} form
     * @param {number} streams
     * @param {number} max_steps
     * @param {number} lag
     * @param {number} omega
     * @param {number} step
     * @param {number} tau
     */
    constructor(form, streams, max_steps, lag, omega, step, tau) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.leakybankf32_new(retptr, form, streams, max_steps, lag, omega, step, tau);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            LeakyBankF32Finalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get past() {
        const ret = wasm.leakybankf32_past(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get phases() {
        const ret = wasm.leakybankf32_phases(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get sums() {
        const ret = wasm.leakybankf32_sums(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get t() {
        const ret = wasm.leakybankf32_t(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) LeakyBankF32.prototype[Symbol.dispose] = LeakyBankF32.prototype.free;

/**
 * Many streams, each with its own T, advanced together.
 *
 * `phases` and `past` hold one row a time step, of all streams side by side; `t` and `sums` a row of real and
 * one of imaginary parts. The caller writes `phases`, and after a call brings `past` up to date and reads
 * T = a^m·t + (1-a)·sums, m = count mod 16.
 */
export class LeakyBankF64 {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        LeakyBankF64Finalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_leakybankf64_free(ptr, 0);
    }
    /**
     * Advances every stream by the first `steps` rows of `phases`.
     *
     * * `count` - samples that each stream had before, a whole number under 2^53
     *
     * Errors: E_KERNEL_LENGTH when there are fewer rows, E_KERNEL_RANGE.
     * @param {number} steps
     * @param {number} count
     */
    advance(steps, count) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.leakybankf64_advance(retptr, this.__wbg_ptr, steps, count);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * * `form` - 0 REF, 1 AUTO, 2 CYCLIC
     * * `streams` - 1 to 2^20; `max_steps` - rows of `phases`, 1 or more; `lag` - L in samples, 0 for REF
     * * `omega` - rad/s; `step` - h and `tau` in seconds, above 0
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     * @param {number} form
     * @param {number} streams
     * @param {number} max_steps
     * @param {number} lag
     * @param {number} omega
     * @param {number} step
     * @param {number} tau
     */
    constructor(form, streams, max_steps, lag, omega, step, tau) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.leakybankf64_new(retptr, form, streams, max_steps, lag, omega, step, tau);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            this.__wbg_ptr = r0;
            LeakyBankF64Finalization.register(this, this.__wbg_ptr, this);
            return this;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get past() {
        const ret = wasm.leakybankf64_past(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get phases() {
        const ret = wasm.leakybankf64_phases(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get sums() {
        const ret = wasm.leakybankf64_sums(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get t() {
        const ret = wasm.leakybankf64_t(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) LeakyBankF64.prototype[Symbol.dispose] = LeakyBankF64.prototype.free;

/**
 * Breathing rhythm: 10 s a cycle, 4 s in and 6 s out, each a raised cosine.
 *
 * * `times` - seconds, any sign; `depths` - 0 empty to 1 full, written; 0 for a time that is not finite
 *
 * Errors: E_KERNEL_LENGTH.
 * @param {F64Array} times
 * @param {F64Array} depths
 * @param {number} length
 */
export function breathing(times, depths, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(times, F64Array);
        _assertClass(depths, F64Array);
        wasm.breathing(retptr, times.__wbg_ptr, depths.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Which of the first `length` reports carry a global collapse: |T|² >= I_c, and within acos(2·I_c - 1) of the median's
 * direction by r > 0 and r² >= (2·I_c - 1)²·|T|²·|m|², r = Re(T·conj m), in integers.
 *
 * * `threshold` - I_c in Q1.30, 0 to 2^30
 * * `standing` - one a report, written: 0 not collapsed, 1 collapsed in another direction, 2 collapsed and near
 * * `result` - the median's re, im, written
 *
 * Returns the weight of the reports of standing 2. Errors as [`weighted_sum`], E_KERNEL_RANGE.
 * @param {F64Array} weights
 * @param {I32Array} re
 * @param {I32Array} im
 * @param {number} length
 * @param {number} threshold
 * @param {I32Array} standing
 * @param {I32Array} result
 * @returns {number}
 */
export function decision(weights, re, im, length, threshold, standing, result) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(weights, F64Array);
        _assertClass(re, I32Array);
        _assertClass(im, I32Array);
        _assertClass(standing, I32Array);
        _assertClass(result, I32Array);
        wasm.decision(retptr, weights.__wbg_ptr, re.__wbg_ptr, im.__wbg_ptr, length, threshold, standing.__wbg_ptr, result.__wbg_ptr);
        var r0 = getDataViewMemory0().getFloat64(retptr + 8 * 0, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
        if (r3) {
            throw takeObject(r2);
        }
        return r0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Field coherence, a variance score: 1/(1 + population variance) of the first `length` values.
 *
 * Returns it in [0, 1]; 1 of one value or none. Errors: E_KERNEL_LENGTH.
 * @param {F64Array} values
 * @param {number} length
 * @returns {number}
 */
export function field_coherence(values, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(values, F64Array);
        wasm.field_coherence(retptr, values.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getFloat64(retptr + 8 * 0, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
        if (r3) {
            throw takeObject(r2);
        }
        return r0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Weighted geometric median of the first `length` reports, by 64 Weiszfeld steps from the weighted mean, in Q1.30.
 *
 * Arguments and errors as [`weighted_sum`]; the order of the reports is part of the result.
 * @param {F64Array} weights
 * @param {I32Array} re
 * @param {I32Array} im
 * @param {number} length
 * @param {I32Array} result
 */
export function geometric_median(weights, re, im, length, result) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(weights, F64Array);
        _assertClass(re, I32Array);
        _assertClass(im, I32Array);
        _assertClass(result, I32Array);
        wasm.geometric_median(retptr, weights.__wbg_ptr, re.__wbg_ptr, im.__wbg_ptr, length, result.__wbg_ptr);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Golden-angle lattice (Vogel 1979): point k at angle k·2π(1-1/φ), radius √k.
 *
 * * `x`, `y` - coordinates of the first `length` points, written
 *
 * Errors: E_KERNEL_LENGTH.
 * @param {F64Array} x
 * @param {F64Array} y
 * @param {number} length
 */
export function golden_lattice(x, y, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(x, F64Array);
        _assertClass(y, F64Array);
        wasm.golden_lattice(retptr, x.__wbg_ptr, y.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Nearness to the nearest of seven harmonics: max_h 1/(1+|f-h|).
 *
 * * `frequencies` - Hz; `scores` - in [0, 1], written; 0 for a frequency that is not finite
 *
 * Errors: E_KERNEL_LENGTH.
 * @param {F64Array} frequencies
 * @param {F64Array} scores
 * @param {number} length
 */
export function harmonic_resonance(frequencies, scores, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(frequencies, F64Array);
        _assertClass(scores, F64Array);
        wasm.harmonic_resonance(retptr, frequencies.__wbg_ptr, scores.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Phase-locking value of the first `length` samples of two series.
 *
 * * `a`, `b` - phases, rad
 *
 * Returns it in [0, 1]; 0 of no samples. Errors: E_KERNEL_LENGTH when a series is shorter than `length`.
 * @param {F32Array} a
 * @param {F32Array} b
 * @param {number} length
 * @returns {number}
 */
export function phase_locking_f32(a, b, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(a, F32Array);
        _assertClass(b, F32Array);
        wasm.phase_locking_f32(retptr, a.__wbg_ptr, b.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getFloat64(retptr + 8 * 0, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
        if (r3) {
            throw takeObject(r2);
        }
        return r0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Phase-locking value of the first `length` samples of two series.
 *
 * * `a`, `b` - phases, rad
 *
 * Returns it in [0, 1]; 0 of no samples. Errors: E_KERNEL_LENGTH when a series is shorter than `length`.
 * @param {F64Array} a
 * @param {F64Array} b
 * @param {number} length
 * @returns {number}
 */
export function phase_locking_f64(a, b, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(a, F64Array);
        _assertClass(b, F64Array);
        wasm.phase_locking_f64(retptr, a.__wbg_ptr, b.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getFloat64(retptr + 8 * 0, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
        if (r3) {
            throw takeObject(r2);
        }
        return r0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Phase-locking values of all pairs of channels.
 *
 * * `phases` - rad, `channels` series of `length` samples one after the other
 * * `channels` - 1 to 4096
 * * `values` - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
 *
 * Errors: E_KERNEL_LENGTH when an array is too short, E_KERNEL_RANGE, E_KERNEL_MEMORY.
 * @param {F32Array} phases
 * @param {number} channels
 * @param {number} length
 * @param {F64Array} values
 */
export function phase_locking_matrix_f32(phases, channels, length, values) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(phases, F32Array);
        _assertClass(values, F64Array);
        wasm.phase_locking_matrix_f32(retptr, phases.__wbg_ptr, channels, length, values.__wbg_ptr);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Phase-locking values of all pairs of channels.
 *
 * * `phases` - rad, `channels` series of `length` samples one after the other
 * * `channels` - 1 to 4096
 * * `values` - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
 *
 * Errors: E_KERNEL_LENGTH when an array is too short, E_KERNEL_RANGE, E_KERNEL_MEMORY.
 * @param {F64Array} phases
 * @param {number} channels
 * @param {number} length
 * @param {F64Array} values
 */
export function phase_locking_matrix_f64(phases, channels, length, values) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(phases, F64Array);
        _assertClass(values, F64Array);
        wasm.phase_locking_matrix_f64(retptr, phases.__wbg_ptr, channels, length, values.__wbg_ptr);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Unit phasors of the first `length` phases.
 *
 * * `phases` - rad; one that is not finite gives 0
 * * `re`, `im` - cosines and sines, written
 *
 * Errors: E_KERNEL_LENGTH when an array is shorter than `length`.
 * @param {F32Array} phases
 * @param {F32Array} re
 * @param {F32Array} im
 * @param {number} length
 */
export function phasors_f32(phases, re, im, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(phases, F32Array);
        _assertClass(re, F32Array);
        _assertClass(im, F32Array);
        wasm.phasors_f32(retptr, phases.__wbg_ptr, re.__wbg_ptr, im.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Unit phasors of the first `length` phases.
 *
 * * `phases` - rad; one that is not finite gives 0
 * * `re`, `im` - cosines and sines, written
 *
 * Errors: E_KERNEL_LENGTH when an array is shorter than `length`.
 * @param {F64Array} phases
 * @param {F64Array} re
 * @param {F64Array} im
 * @param {number} length
 */
export function phasors_f64(phases, re, im, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(phases, F64Array);
        _assertClass(re, F64Array);
        _assertClass(im, F64Array);
        wasm.phasors_f64(retptr, phases.__wbg_ptr, re.__wbg_ptr, im.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Quantises the first `length` values to Q1.30, round half to even.
 *
 * * `values` - in [-1, 1]
 * * `quantised` - integers in [-2^30, 2^30], written
 *
 * Errors: E_QUANTISE_RANGE when a value is not a number or clearly outside (nothing after it is written),
 * E_KERNEL_LENGTH.
 * @param {F64Array} values
 * @param {I32Array} quantised
 * @param {number} length
 */
export function quantise(values, quantised, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(values, F64Array);
        _assertClass(quantised, I32Array);
        wasm.quantise(retptr, values.__wbg_ptr, quantised.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Phases of the first `length` samples.
 *
 * * `step` - round(f·2^32/fs); `start` - accumulator at the first sample
 * * `phases` - rad, in [0, 2π), written
 *
 * Returns the accumulator after the last sample: what the next call starts from. Errors: E_KERNEL_LENGTH.
 * @param {number} step
 * @param {number} start
 * @param {F64Array} phases
 * @param {number} length
 * @returns {number}
 */
export function synthesise_phases(step, start, phases, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(phases, F64Array);
        wasm.synthesise_phases(retptr, step, start, phases.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        if (r2) {
            throw takeObject(r1);
        }
        return r0 >>> 0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * A cosine of amplitude 1: the first `length` samples.
 *
 * Arguments, result and errors as [`synthesise_phases`].
 * @param {number} step
 * @param {number} start
 * @param {F32Array} values
 * @param {number} length
 * @returns {number}
 */
export function synthesise_tone_f32(step, start, values, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(values, F32Array);
        wasm.synthesise_tone_f32(retptr, step, start, values.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        if (r2) {
            throw takeObject(r1);
        }
        return r0 >>> 0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * A cosine of amplitude 1: the first `length` samples.
 *
 * Arguments, result and errors as [`synthesise_phases`].
 * @param {number} step
 * @param {number} start
 * @param {F64Array} values
 * @param {number} length
 * @returns {number}
 */
export function synthesise_tone_f64(step, start, values, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(values, F64Array);
        wasm.synthesise_tone_f64(retptr, step, start, values.__wbg_ptr, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
        if (r2) {
            throw takeObject(r1);
        }
        return r0 >>> 0;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 of the first `length` reports.
 *
 * * `weights` - whole, >= 0, Σw < 2^33
 * * `re`, `im` - T in Q1.30, in the unit disc
 * * `result` - re, im, written; 0 when nobody of weight reports
 *
 * Errors: E_REPORT_RANGE, E_KERNEL_LENGTH.
 * @param {F64Array} weights
 * @param {I32Array} re
 * @param {I32Array} im
 * @param {number} length
 * @param {I32Array} result
 */
export function weighted_sum(weights, re, im, length, result) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        _assertClass(weights, F64Array);
        _assertClass(re, I32Array);
        _assertClass(im, I32Array);
        _assertClass(result, I32Array);
        wasm.weighted_sum(retptr, weights.__wbg_ptr, re.__wbg_ptr, im.__wbg_ptr, length, result.__wbg_ptr);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        if (r1) {
            throw takeObject(r0);
        }
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg___wbindgen_throw_41e9ee4f547fc59a: function(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
        __wbindgen_generic_0000000000000001: function(arg0, arg1) {
            // Cast intrinsic for `Ref(String) -> Externref`.
            const ret = getStringFromWasm0(arg0, arg1);
            return addHeapObject(ret);
        },
    };
    return {
        __proto__: null,
        "./coherence_bg.js": import0,
    };
}

const F32ArrayFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_f32array_free(ptr, 1));
const F64ArrayFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_f64array_free(ptr, 1));
const GoertzelBankF32Finalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_goertzelbankf32_free(ptr, 1));
const GoertzelBankF64Finalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_goertzelbankf64_free(ptr, 1));
const I32ArrayFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_i32array_free(ptr, 1));
const LeakyBankF32Finalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_leakybankf32_free(ptr, 1));
const LeakyBankF64Finalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_leakybankf64_free(ptr, 1));

function addHeapObject(obj) {
    if (heap_next === heap.length) heap.push(heap.length + 1);
    const idx = heap_next;
    heap_next = heap[idx];

    heap[idx] = obj;
    return idx;
}

function _assertClass(instance, klass) {
    if (!(instance instanceof klass)) {
        throw new Error(`expected instance of ${klass.name}`);
    }
}

function dropObject(idx) {
    if (idx < 1028) return;
    heap[idx] = heap_next;
    heap_next = idx;
}

let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }
    return cachedDataViewMemory0;
}

function getStringFromWasm0(ptr, len) {
    return decodeText(ptr >>> 0, len);
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}

function getObject(idx) { return heap[idx]; }

let heap = new Array(1024).fill(undefined);
heap.push(undefined, null, true, false);

let heap_next = heap.length;

function takeObject(idx) {
    const ret = getObject(idx);
    dropObject(idx);
    return ret;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(ptr, len) {
    numBytesDecoded += len;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
        cachedTextDecoder.decode();
        numBytesDecoded = len;
    }
    return cachedTextDecoder.decode(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    cachedDataViewMemory0 = null;
    cachedUint8ArrayMemory0 = null;
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;


    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }


    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
