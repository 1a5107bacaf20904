"""CPython's double of MicroPython's `cryptolib`: AES in ECB, CBC and CTR mode, from `cryptography`.

As on the board one object encrypts or decrypts, never both, and keeps its chaining from call to call.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MODES = {1: modes.ECB, 2: modes.CBC, 6: modes.CTR}


class aes:  # noqa: N801 - MicroPython's name
    def __init__(self, key, mode, iv=None):
        if mode not in _MODES:
            raise ValueError("mode")
        if len(key) not in (16, 32):
            raise ValueError("key")
        if (iv is None) is not (mode == 1):
            raise ValueError("IV")
        chosen = _MODES[mode]() if iv is None else _MODES[mode](bytes(iv))
        self._cipher = Cipher(algorithms.AES(bytes(key)), chosen)
        self._stream = mode == 6
        self._context = None
        self._decrypts = False

    def _run(self, decrypts, data, out):
        if self._context is None:
            self._context = self._cipher.decryptor() if decrypts else self._cipher.encryptor()
            self._decrypts = decrypts
        elif self._decrypts is not decrypts:
            raise ValueError("can't encrypt & decrypt")
        if len(data) % 16 and not self._stream:
            raise ValueError("blksize % 16")
        done = self._context.update(bytes(data))
        if out is None:
            return done
        if len(out) < len(done):
            raise ValueError("output too small")
        out[:len(done)] = done
        return out

    def encrypt(self, data, out=None):
        return self._run(False, data, out)

    def decrypt(self, data, out=None):
        return self._run(True, data, out)
